import { byteLength } from '../../lib/text/bytes.ts'
import { hasHidden, isBlank } from '../../lib/text/visible.ts'
import { ClawError } from '../../protocol/errors.ts'
import { MAX_LIST_LENGTH, MAX_NAME_BYTES } from '../../protocol/limits.ts'
import { nameFault, shownName } from './names.ts'
import { isWorkspaceName } from './schema.ts'

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

/** Checks a text for readers. Throws `usage` where it shows nothing, `too_large`. */
export const checkSaid = (what: string, text: string, max: number): string => {
  if (!isBlank(text)) return within(what, text, max)
  throw new ClawError(
    'usage',
    `the ${what} is ${text === '' ? 'empty' : 'blank'}`,
    'check the command or file that it came from',
  )
}

/** The reason why a text cannot be a name, as the rest of a sentence; null: it can. */
export const nameProblem = (text: string): string | null =>
  nameFault(text)?.what ?? (text === text.normalize('NFC') ? null : 'is not in Unicode NFC')

/**
 * Checks the name of an agent or a person: at most 64 characters, all visible, and none that could
 * pass for a field in a line of output. Throws `bad_name`.
 */
export const checkDisplayName = (what: string, text: string): string => {
  const name = text.trim().normalize('NFC')
  const fault = nameFault(name)
  if (fault === null) return name
  throw new ClawError('bad_name', `the ${what} ${fault.what}`, fault.next)
}

/** A topic, tag, capability or machine: trimmed, not empty, all of it visible. Throws `bad_name`, `too_large`. */
export const checkLabel = (what: string, text: string): string => {
  const label = text.trim().normalize('NFC')
  if (label === '') throw new ClawError('bad_name', `${what} is empty`, `give a ${what}`)
  if (hasHidden(label)) {
    const shown = shownName(label)
    throw new ClawError(
      'bad_name',
      `${what} has a control or invisible character in it: ${shown}`,
      'use one plain line',
    )
  }
  return within(what, label, MAX_NAME_BYTES)
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

/** Checks capabilities or tags: returns the names in order, without empty and repeated ones. */
export const checkNames = (what: string, list: readonly string[]): string[] => {
  const trimmed = list.map((item) => item.trim().normalize('NFC'))
  const names = [...new Set(trimmed.filter((item) => item !== ''))]
  if (names.length > MAX_LIST_LENGTH) {
    throw new ClawError('too_large', `${names.length} ${what}; the limit is ${MAX_LIST_LENGTH}`)
  }
  return names.map((name) => checkLabel(what, name))
}
