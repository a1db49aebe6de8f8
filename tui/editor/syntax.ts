import type { Later } from './bursts.ts'
import type { Look } from './highlight/look.ts'
import { languageOf } from './languages.ts'
import type { SharedText } from './shared-text.ts'

/** A part of a line in one colour, by units from the beginning of the line. */
export interface Token {
  from: number
  to: number
  look: Look
}

/** Of longer texts (units) words have no colours: to find them would be felt at the next key. */
const MAX_UNITS = 100_000
/** After such a pause (milliseconds) the words of a text are looked at anew. */
const PAUSE_MS = 200

const KEYWORD: Look = { word: 'keyword' }
const STRING: Look = { word: 'string' }
const VALUE: Look = { word: 'value' }
const DIM: Look = { dim: true }
const BOLD: Look = { bold: true }

/** Classes of highlight.js, and their looks. */
const LOOKS: Readonly<Record<string, Look>> = {
  ...{ keyword: KEYWORD, literal: KEYWORD, 'selector-tag': KEYWORD },
  ...{ string: STRING, regexp: STRING, addition: STRING, code: STRING },
  ...{ number: VALUE, type: VALUE, built_in: VALUE, attr: VALUE, attribute: VALUE },
  ...{ symbol: VALUE, bullet: VALUE, link: VALUE },
  ...{ comment: DIM, quote: DIM, meta: DIM, deletion: { word: 'taken' } },
  ...{ title: BOLD, section: BOLD, name: BOLD, strong: BOLD },
}

/** The look of the classes of a word, such as `title function_`; undefined: it has none. */
const lookOf = (classes: string): Look | undefined => LOOKS[classes.split(/[ .]/)[0] ?? '']

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

/** Finds the tokens of a text when nothing was typed for a while; the library is loaded with the first file. */
export class Syntax {
  readonly #language: string
  readonly #text: SharedText
  readonly #later: Later
  readonly #onRead: () => void
  #lines: readonly { text: string; tokens: readonly Token[] }[] = []
  /** For lines that have moved since: the tokens of each text. */
  #byText: ReadonlyMap<string, readonly Token[]> = new Map()
  #cancel: (() => void) | null = null
  #isClosed = false

  constructor(language: string, text: SharedText, later: Later, onRead: () => void) {
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
      void this.#read()
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
    const { partsOf } = await import('./highlight/highlighter.ts')
    if (this.#isClosed) return
    const found: { text: string; tokens: Token[] }[] = [{ text: '', tokens: [] }]
    for (const { text, classes } of partsOf(lines.slice(0, lines.length), this.#language)) {
      const look = lookOf(classes)
      for (const [i, piece] of text.split(/\r\n|\r|\n/).entries()) {
        if (i > 0) found.push({ text: '', tokens: [] })
        const line = found.at(-1)!
        const from = line.text.length
        line.text += piece
        if (look !== undefined && piece !== '')
          line.tokens.push({ from, to: line.text.length, look })
      }
    }
    this.#lines = found
    this.#byText = new Map(found.map(({ text, tokens }) => [text, tokens]))
    this.#onRead()
  }
}
