import { MAX_VERSION } from '../../../protocol/limits.ts'
import { about, blob, flagged, number, operand, optional, path, text, words, yes } from './field.ts'

/** The file that an action is about. */
export const shared = operand(path, 1)

const line = number(1, Number.MAX_SAFE_INTEGER)
const version = optional(number(1, MAX_VERSION))
const isNew = flagged(about(optional(yes), 'fail if the file exists'), 'new')
const force = about(
  yes,
  'overwrite a file that you have not read, or of the other kind (text, binary)',
)

export const putText = {
  key: shared,
  content: about(text(), 'the whole text'),
  base_version: about(version, 'the version that you changed; absent: the one you hold'),
  force,
  if_absent: isNew,
} as const

export const editText = {
  key: shared,
  find: operand(about(words, 'the text to replace; it must occur exactly once'), 2),
  replace: operand(about(text(), 'the new text; an empty one removes the old'), 3),
  all: about(yes, 'replace every occurrence'),
} as const

export const editLines = {
  key: shared,
  from_line: about(line, 'the first line to replace; the first of a file is 1'),
  to_line: about(line, 'the last line to replace'),
  with: about(text(), 'the new text of these lines'),
  base_version: about(version, 'the version in which the lines are counted'),
} as const

export const append = {
  key: shared,
  text: operand(about(text(), 'the lines to add'), 2),
} as const

export const move = {
  key: shared,
  to: operand(about(path, 'its new path', 'NEW'), 2),
  force: about(yes, 'replace a file that has this name'),
} as const

export const remove = {
  key: shared,
  base_version: about(version, 'the version that you read; `stale` if others changed it since'),
  force: about(yes, 'remove it even if others changed it'),
} as const

export const shareBytes = {
  key: shared,
  sha256: about(blob, 'the SHA-256 of the bytes, which are on the server'),
  size: about(number(0, Number.MAX_SAFE_INTEGER), 'their number'),
  base_sha256: about(optional(blob), 'the version that you read; absent: the one you hold'),
  force,
  if_absent: isNew,
} as const
