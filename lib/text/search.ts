/** Characters of a token at most (UTF-16 units); in scripts without spaces two characters. */
const MAX_TOKEN = 24

/** Scripts whose words have no spaces between them: a word may begin at each character. */
const UNSPACED =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u
const RUNS = /[\p{L}\p{N}\p{M}]+/gu
const WORD = /[\p{L}\p{N}\p{M}]/u
const UPPER = /\p{Lu}/u
const PLAIN = /^[a-z0-9]+$/

const characterAt = (text: string, at: number): string =>
  String.fromCodePoint(text.codePointAt(at)!)

/** The character before a place; empty at the beginning. */
const before = (text: string, at: number): string => {
  if (at === 0) return ''
  const code = text.charCodeAt(at - 1)
  return code >= 0xdc00 && code <= 0xdfff ? text.slice(at - 2, at) : text[at - 1]!
}

/** True if a word begins at a place of a text, also within `camelCase`. */
const beginsAt = (text: string, at: number): boolean => {
  const previous = before(text, at)
  if (!WORD.test(previous)) return true
  const own = characterAt(text, at)
  if (UNSPACED.test(own) || UNSPACED.test(previous)) return true
  if (!UPPER.test(own)) return false
  // `HTTPServer` has the words HTTP and Server.
  return !UPPER.test(previous) || /^\p{Ll}/u.test(text.slice(at + own.length, at + own.length + 2))
}

/** The token of the word that begins at the start of `rest`, in lower case. */
const tokenAt = (rest: string): string => {
  const first = characterAt(rest, 0)
  if (UNSPACED.test(first)) return rest.slice(0, first.length + characterLength(rest, first.length))
  return rest.slice(0, MAX_TOKEN)
}
const characterLength = (text: string, at: number): number =>
  at < text.length ? characterAt(text, at).length : 0

/** The text to search in: composed characters, and in lower case. */
interface Searchable {
  text: string
  lower: string
}

const searchable = (given: string): Searchable => {
  const text = given.normalize('NFC')
  const lower = text.toLowerCase()
  // Rare letters grow in lower case; without equal places `camelCase` is not seen.
  return lower.length === text.length ? { text, lower } : { text: lower, lower }
}

/**
 * The beginnings of all words of a text, in lower case: a query that `matches` finds a text has each of its own tokens as
 * the beginning of one of these.
 */
export const tokensOf = (given: string): Set<string> => {
  const { text, lower } = searchable(given)
  const tokens = new Set<string>()
  for (const { 0: run, index } of text.matchAll(RUNS)) {
    const rest = lower.slice(index, index + run.length)
    tokens.add(tokenAt(rest))
    if (PLAIN.test(run)) continue
    for (let at = 1; at < run.length; at++) {
      const code = run.charCodeAt(at)
      if (code >= 0xdc00 && code <= 0xdfff) continue
      if (beginsAt(run, at)) tokens.add(tokenAt(rest.slice(at)))
    }
  }
  return tokens
}

/** A term of a query: what must be found as it stands. */
export interface Term {
  /** In lower case. */
  text: string
  /** Its first letter or digit (UTF-16 units); null: it has none. */
  start: number | null
  /** The beginnings of its words. */
  tokens: readonly string[]
}

/** The terms of a query: words, and what stands in quotation marks. */
export const termsOf = (query: string): Term[] =>
  [...query.normalize('NFC').matchAll(/"([^"]+)"|([^\s"]+)/g)].flatMap(([, whole, word]) => {
    const text = (whole ?? word!).toLowerCase().trim()
    if (text === '') return []
    const runs = [...text.matchAll(RUNS)]
    return { text, start: runs[0]?.index ?? null, tokens: runs.map(([run]) => tokenAt(run)) }
  })

const has = ({ text, lower }: Searchable, term: Term): boolean => {
  for (let at = lower.indexOf(term.text); at >= 0; at = lower.indexOf(term.text, at + 1)) {
    if (term.start === null || beginsAt(text, at + term.start)) return true
  }
  return false
}

/** True if each term is in the text, and its first word begins a word there. */
export const matches = (given: string, terms: readonly Term[]): boolean => {
  const text = searchable(given)
  return terms.every((term) => has(text, term))
}
