import type { Language } from './languages.ts'
import type { Look } from './look.ts'

/** A part of a line in one colour, by units from the beginning of the line. */
export interface Token {
  from: number
  to: number
  look: Look
}

/** A line of a text, and its tokens. */
export interface WordedLine {
  text: string
  tokens: readonly Token[]
}

/** Of longer texts (units) words have no colours: to find them would be felt at the next key. */
export const MAX_UNITS = 100_000
/** After such a pause (milliseconds) the words of a text are looked at anew. */
export const PAUSE_MS = 200

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

/** The lines of a text with their tokens; the library is loaded with the first text. */
export const wordedLines = async (text: string, language: Language): Promise<WordedLine[]> => {
  const { partsOf } = await import('./highlighter.ts')
  const found: { text: string; tokens: Token[] }[] = [{ text: '', tokens: [] }]
  for (const { text: part, classes } of partsOf(text, language)) {
    const look = lookOf(classes)
    for (const [i, piece] of part.split(/\r\n|\r|\n/).entries()) {
      if (i > 0) found.push({ text: '', tokens: [] })
      const line = found.at(-1)!
      const from = line.text.length
      line.text += piece
      if (look !== undefined && piece !== '') line.tokens.push({ from, to: line.text.length, look })
    }
  }
  return found
}
