import { MAX_NAME_BYTES, MAX_NOTE_BYTES, MAX_VERSION } from '../../../protocol/limits.ts'
import { about, name, number, operand, optional, path, text, withDefault, yes } from './field.ts'

const checkpointName = operand(about(name, 'the name of the checkpoint', 'NAME'), 1)

export const checkpoint = {
  name: checkpointName,
  note: operand(about(withDefault(text(MAX_NOTE_BYTES), ''), 'what the workspace is like now'), 2),
} as const

export const removeCheckpoint = { name: checkpointName } as const

export const restore = {
  name: checkpointName,
  dry_run: about(yes, 'change nothing; say what would change'),
} as const

/** One of `version`, `at` and `checkpoint`. */
export const restoreFile = {
  key: operand(path, 1),
  version: about(optional(number(1, MAX_VERSION)), 'this version'),
  at: about(optional(text(MAX_NAME_BYTES)), 'what it was at this time, or this long ago'),
  checkpoint: about(optional(name), 'what it was at this checkpoint'),
  dry_run: about(yes, 'change nothing; say what would change'),
} as const
