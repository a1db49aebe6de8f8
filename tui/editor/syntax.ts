import { type Language, languageOf } from '../highlight/languages.ts'
import {
  MAX_UNITS,
  PAUSE_MS,
  type Token,
  type WordedLine,
  wordedLines,
} from '../highlight/tokens.ts'
import type { Later } from './bursts.ts'
import type { SharedText } from './shared-text.ts'

/** The colours of words in a file; null: its language is unknown. */
export const syntaxFor = (
  path: string,
  text: SharedText,
  later: Later,
  onRead: () => void,
): Syntax | null => {
  const language = languageOf(path)
  return language === null ? null : new Syntax(language, text, later, onRead)
}

/** Finds the tokens of a text when nothing was typed for a while. */
export class Syntax {
  readonly #language: Language
  readonly #text: SharedText
  readonly #later: Later
  readonly #onRead: () => void
  #lines: readonly WordedLine[] = []
  /** For lines that have moved since: the tokens of each text. */
  #byText: ReadonlyMap<string, readonly Token[]> = new Map()
  #cancel: (() => void) | null = null
  #isClosed = false

  constructor(language: Language, text: SharedText, later: Later, onRead: () => void) {
    this.#language = language
    this.#text = text
    this.#later = later
    this.#onRead = onRead
    this.changed()
  }

  /** The tokens of a line (0-based) with this text; none while they are not known. */
  of(line: number, text: string): readonly Token[] {
    const known = this.#lines[line]
    return known?.text === text ? known.tokens : (this.#byText.get(text) ?? [])
  }

  /** The text is another one: its tokens are looked for after a pause. */
  changed(): void {
    this.#cancel?.()
    this.#cancel = this.#later(PAUSE_MS, () => {
      this.#cancel = null
      void this.#read().catch(() => {}) // without colours the text is whole, too
    })
  }

  close(): void {
    this.#cancel?.()
    this.#isClosed = true
  }

  async #read(): Promise<void> {
    const { lines } = this.#text
    if (lines.length > MAX_UNITS) {
      this.#lines = []
      this.#byText = new Map()
      return
    }
    const found = await wordedLines(lines.slice(0, lines.length), this.#language)
    if (this.#isClosed) return
    this.#lines = found
    this.#byText = new Map(found.map(({ text, tokens }) => [text, tokens]))
    this.#onRead()
  }
}
