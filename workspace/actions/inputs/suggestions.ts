import { MAX_SUGGESTED_HUNKS, MAX_VERSION } from '../../../protocol/limits.ts'
import {
  about,
  agent,
  type Field,
  flagged,
  manyOf,
  name,
  number,
  operand,
  optional,
  path,
  task,
  text,
  withDefault,
  words,
  yes,
} from './field.ts'

export const suggest = {
  key: operand(path, 1),
  content: about(optional(text()), 'the whole text as you propose it'),
  find: about(optional(words), 'the text to replace; it must occur exactly once'),
  replace: about(optional(text()), 'the new text; an empty one removes the old'),
  all: about(yes, 'replace every occurrence'),
  base_version: about(
    optional(number(1, MAX_VERSION)),
    'the version that you changed; absent: the one you hold',
  ),
  note: about(withDefault(text(), ''), 'why; who judges it reads this'),
  task: about(optional(task), 'the task that it belongs to'),
  approve_by: about(optional(agent), 'only this agent may accept it'),
} as const

const id: Field<string> = operand(about({ ...name, word: 'ID' }, 'the id of the suggestion'), 1)

const hunks = about(
  optional(manyOf(number(1, MAX_SUGGESTED_HUNKS), MAX_SUGGESTED_HUNKS)),
  'only these of its hunks',
  '1,3',
)

export const accept = { suggestion: flagged(id, 'id'), hunks } as const

export const reject = {
  suggestion: flagged(id, 'id'),
  hunks,
  reason: operand(about(withDefault(text(), ''), 'why; its proposer reads it'), 2),
} as const
