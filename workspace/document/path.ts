import { byteLength } from '../../lib/text/bytes.ts'
import { ClawError } from '../../protocol/errors.ts'
import type { FileKey } from '../../protocol/ids.ts'
import { MAX_PATH_BYTES } from '../../protocol/limits.ts'

/**
 * Returns a path that means the same on every machine: POSIX, relative, without dot segments, NFC.
 * Throws `bad_path`.
 */
export const checkFileKey = (text: string): FileKey => {
  const key = text.normalize('NFC')
  const problem = pathProblem(key)
  if (problem === null) return key as FileKey
  throw new ClawError(
    'bad_path',
    `${JSON.stringify(text.slice(0, 200))} ${problem}`,
    'use a relative path with / between its parts, such as notes/plan.md',
  )
}

/**
 * The reason why a text cannot be the path of a shared file, as the rest of a sentence; null: it
 * can.
 */
export const pathProblem = (key: string): string | null => {
  if (key === '') return 'is empty'
  if (/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/.test(key)) return 'has a control character in it'
  if (/\p{Surrogate}/u.test(key)) return 'has half a character in it (a lone surrogate)'
  if (key.includes('\\')) return 'has a backslash in it'
  if (key.startsWith('/')) return 'is absolute'
  if (key.endsWith('/')) return 'ends with /'
  if (/(^|\/)(\.{0,2})(\/|$)/.test(key)) return 'has an empty part, or . or .. as one'
  if (byteLength(key) > MAX_PATH_BYTES) return `is over the limit of ${MAX_PATH_BYTES} bytes`
  return null
}
