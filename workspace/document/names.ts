import { shorten } from '../../lib/text/shorten.ts'
import { hasHidden, oneLine, safeJson } from '../../lib/text/visible.ts'
import { MAX_NAME_CHARS } from '../../protocol/limits.ts'

/**
 * Letters with joiners between them, digits, `.`, `_`, `-`, single spaces inside: it cannot pass
 * for another field.
 */
const PLAIN =
  /^(?:[\p{L}\p{M}\p{N}._-]|\u200c|\u200d)+(?: (?:[\p{L}\p{M}\p{N}._-]|\u200c|\u200d)+)*$/u
/** The same without spaces. */
const WORD = /^(?:[\p{L}\p{M}\p{N}._-]|\u200c|\u200d)+$/u
/** An id as ClawLink makes it, or as an agent chose it. */
const ID = /^[A-Za-z0-9][\w.-]{0,127}$/
/** Characters of a text that a field shows; no client writes longer ones there. */
const MAX_WORD = 256
/** Limit of a name in the text of a hook (UTF-8 bytes): one word, no room for a sentence. */
const MAX_HINT_BYTES = 32

/** A name as every face shows it, whatever the document has: at most 64 visible characters. */
export const shownName = (name: string): string => {
  // Longer texts (UTF-16 units) have more characters than are shown.
  const shown = [...oneLine(name.slice(0, 2 * MAX_NAME_CHARS + 2))]
  return shown.length > MAX_NAME_CHARS
    ? `${shown.slice(0, MAX_NAME_CHARS - 1).join('')}…`
    : shown.join('')
}

/** Tells whether a name or short text can stand unquoted in a line of fields. */
export const isPlain = (text: string): boolean => PLAIN.test(text) && !hasHidden(text)

/** Tells whether a text is one word that cannot pass for another field. */
const isWord = (text: string): boolean => WORD.test(text) && !hasHidden(text)

/**
 * A name or note in a column or in parentheses: unquoted where it is plain, otherwise a JSON
 * string.
 */
export const word = (text: string): string => {
  const shown = shorten(text, MAX_WORD)
  return isPlain(shown) ? shown : safeJson(shown)
}

/**
 * A topic, tag, capability or machine as a field between spaces: unquoted where it is one word,
 * otherwise a JSON string.
 */
export const field = (text: string): string => {
  const shown = shorten(text, MAX_WORD)
  return isWord(shown) ? shown : safeJson(shown)
}

/** A file's path as a field. */
export const pathField = (key: string): string =>
  isWord(key.replaceAll(/[/+]/g, '-')) ? key : safeJson(key)

/** An id as a field; other text becomes a JSON string. */
export const idText = (id: string): string => {
  if (isPlainId(id)) return id
  // Of a file's news: its path and version or time.
  const [, key, rest] = /^([\s\S]+)(@[\w:.-]+)$/.exec(id) ?? []
  return key === undefined ? safeJson(id) : `${pathField(key)}${rest}`
}

/** Tells whether a text has the syntax of an id, so that it can stand anywhere unquoted. */
export const isPlainId = (text: string): boolean => ID.test(text)

/**
 * Tells whether a name can stand where readers expect no words of others: in the text of a hook, in
 * a hint.
 */
export const isHintName = (name: string): boolean =>
  isWord(name) && new TextEncoder().encode(name).length <= MAX_HINT_BYTES

const FORBIDDEN = /[()="`<>]/
const MARKS = '( ) = " ` < >'

/** The fault of a chosen name, as the rest of a sentence; null: it has none. */
export const nameFault = (name: string): { what: string; next: string } | null => {
  const length = [...name].length
  if (name.trim() === '') return { what: 'is empty', next: 'give at least one letter or digit' }
  if (hasHidden(name)) {
    return {
      what: `has a control or invisible character in it: ${shownName(name)}`,
      next: 'use letters, digits and single spaces',
    }
  }
  if (length > MAX_NAME_CHARS) {
    return {
      what: `has ${length} characters; the limit is ${MAX_NAME_CHARS}`,
      next: 'take a shorter one; a description may be longer',
    }
  }
  const mark = FORBIDDEN.exec(name)?.[0]
  if (mark !== undefined) {
    return { what: `has ${mark} in it`, next: `leave out ${MARKS}` }
  }
  if (/^\s|\s$/u.test(name)) return { what: 'begins or ends with a space', next: 'take it away' }
  if (/\s\s|[^\S ]/u.test(name)) {
    return { what: 'has two spaces, or an unusual one, in it', next: 'use single ordinary spaces' }
  }
  return null
}
