import { ClawError } from './errors.ts'
import { MAX_LIST_LENGTH, MAX_NAME_BYTES, MAX_NAME_CHARS } from './limits.ts'
import { isWorkspaceName } from './schema.ts'

const encoder = new TextEncoder()

export const byteLength = (text: string): number => encoder.encode(text).length

/** Returns `text` if it is at most `max` UTF-8 bytes long; throws `too_large`, naming the limit. */
export const within = (what: string, text: string, max: number): string => {
  const size = text.length * 3 <= max ? 0 : byteLength(text)
  if (size <= max) return text
  throw new ClawError(
    'too_large',
    `${what} is ${size} bytes; the limit is ${max}`,
    'put long text into a shared file (file-put) and name the file instead',
  )
}

/** What keeps a text from being a name, as the rest of a sentence; null: nothing. */
export const nameProblem = (text: string): string | null => {
  if ([...text].length > MAX_NAME_CHARS) return `has over ${MAX_NAME_CHARS} characters`
  try {
    return checkName('name', text) === text ? null : 'is not trimmed, or not in Unicode NFC'
  } catch (error) {
    return (error as Error).message
  }
}

/** A name that people and agents type: trimmed, not empty, one line, no control characters. Throws `bad_name`. */
export const checkName = (what: string, text: string): string => {
  const name = text.trim().normalize('NFC')
  if (name === '') throw new ClawError('bad_name', `${what} is empty`, `give a ${what}`)
  if (/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/.test(name)) {
    throw new ClawError('bad_name', `${what} has a control character in it`, 'use one plain line')
  }
  return within(what, name, MAX_NAME_BYTES)
}

/** Throws `bad_name`. */
export const checkWorkspaceName = (name: string): string => {
  if (isWorkspaceName(name)) return name
  throw new ClawError(
    'bad_name',
    `"${name.slice(0, 80)}" is not a workspace name`,
    'lower-case letters, digits, ".", "_" and "-", at most 63, beginning with a letter or digit',
  )
}

/** Capabilities and tags: names, without empty ones and repeats, in the order given. */
export const checkNames = (what: string, list: readonly string[]): string[] => {
  const trimmed = list.map((item) => item.trim().normalize('NFC'))
  const names = [...new Set(trimmed.filter((item) => item !== ''))]
  if (names.length > MAX_LIST_LENGTH) {
    throw new ClawError('too_large', `${names.length} ${what}; the limit is ${MAX_LIST_LENGTH}`)
  }
  return names.map((name) => checkName(what, name))
}
