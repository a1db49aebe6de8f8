import type { Later } from './bursts.ts'
import type { Look } from './highlight/look.ts'
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

/** Endings of names of files, and the language of each as highlight.js names it. */
const LANGUAGES: Readonly<Record<string, string>> = {
  ...{ js: 'javascript', mjs: 'javascript', cjs: 'javascript', jsx: 'javascript' },
  ...{ ts: 'typescript', mts: 'typescript', cts: 'typescript', tsx: 'typescript' },
  ...{
    py: 'python',
    java: 'java',
    c: 'c',
    h: 'c',
    cc: 'cpp',
    cpp: 'cpp',
    hpp: 'cpp',
    cs: 'csharp',
  },
  ...{ go: 'go', rs: 'rust', rb: 'ruby', php: 'php', swift: 'swift', kt: 'kotlin', kts: 'kotlin' },
  ...{ sh: 'bash', bash: 'bash', zsh: 'bash', sql: 'sql', json: 'json', jsonc: 'json' },
  ...{ yaml: 'yaml', yml: 'yaml', xml: 'xml', html: 'xml', svg: 'xml', css: 'css', scss: 'css' },
  ...{ md: 'markdown', toml: 'ini', ini: 'ini', diff: 'diff', patch: 'diff' },
}

/** Classes of highlight.js, and their looks; colours that read on a light ground and on a dark one. */
const LOOKS: Readonly<Record<string, Look>> = {
  ...{ keyword: { colour: 5 }, literal: { colour: 5 }, 'selector-tag': { colour: 5 } },
  ...{ string: { colour: 2 }, regexp: { colour: 2 }, addition: { colour: 2 }, code: { colour: 2 } },
  ...{ number: { colour: 6 }, type: { colour: 6 }, built_in: { colour: 6 }, attr: { colour: 6 } },
  ...{
    attribute: { colour: 6 },
    symbol: { colour: 6 },
    bullet: { colour: 6 },
    link: { colour: 6 },
  },
  ...{ comment: { dim: true }, quote: { dim: true }, meta: { dim: true }, deletion: { colour: 1 } },
  ...{
    title: { bold: true },
    section: { bold: true },
    name: { bold: true },
    strong: { bold: true },
  },
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
  const name = path.slice(path.lastIndexOf('/') + 1).toLowerCase()
  const language = LANGUAGES[name.slice(name.lastIndexOf('.') + 1)]
  return language === undefined ? null : new Syntax(language, text, later, onRead)
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
