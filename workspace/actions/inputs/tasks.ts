import {
  MAX_ATTEMPTS_ASKED,
  MAX_LIST_LENGTH,
  MAX_NAME_BYTES,
  MAX_PATH_BYTES,
  MAX_TASK_LINKS,
} from '../../../protocol/limits.ts'
import { PRIORITIES } from '../../document/schema.ts'
import {
  about,
  agent,
  choice,
  type Field,
  flagged,
  json,
  labels,
  manyOf,
  moment,
  names,
  number,
  object,
  operand,
  optional,
  resetTrace,
  task,
  text,
  topic,
  withDefault,
  words,
  yes,
} from './field.ts'

const attempts = number(1, MAX_ATTEMPTS_ASKED)

export const delegate = {
  task: operand(about(words, 'what to do, at most 64 KiB'), 2),
  to: operand(about(optional(agent), 'the agent that should do it'), 1),
  requires: flagged(about(optional(labels), 'any agent with all these capabilities'), 'caps'),
  later: about(optional(yes), 'without such an agent, wait for one to join'),
  context: about(withDefault(json, null), 'data for programs'),
  priority: about(withDefault(choice(PRIORITIES), 'normal'), 'urgent goes first'),
  after: about(optional(names), 'start after these tasks', 'T,T'),
  after_failed: about(
    withDefault(choice(['fail', 'run']), 'fail'),
    'what happens if one did not complete',
  ),
  deadline: about(optional(moment), 'it fails if it has not ended by then'),
  parent: about(optional(task), 'the task it is part of'),
  ref: about(optional(task), 'an ended task that it continues'),
  max_attempts: about(optional(attempts), 'owners that may lose it before it fails'),
  approve_by: about(optional(agent), 'this agent approves the result'),
  fresh: about(optional(yes), 'refuse a stale result'),
  reset_trace: resetTrace,
} as const

const id = operand(about(task, 'the id of the task'), 1)
const reason = operand(
  flagged(about(withDefault(text(), ''), 'why; the others can read it', 'REASON'), 'reason'),
  2,
)

export const note = {
  task: id,
  text: operand(about(words, 'the note'), 2),
} as const

export const claim = {
  task: optional(id),
  caps: about(
    optional(manyOf(text(MAX_NAME_BYTES), MAX_LIST_LENGTH)),
    'only tasks for these capabilities',
  ),
} as const

export const release = { task: id, message: reason } as const
export const decline = release
export const approve = { task: id } as const

export const cancel = {
  ...release,
  force: about(optional(yes), 'at once, without asking its owner'),
} as const

export const answer = { task: id, text: operand(about(words, 'the answer'), 2) } as const

const version = number(0, Number.MAX_SAFE_INTEGER)
const percent: Field<number> = { shape: { kind: 'number', least: 0, most: 100, hasFraction: true } }

export const respond = {
  to: about(optional(topic), 'the agent that delegated it', 'AGENT'),
  task: flagged(id, 'msg-id'),
  message: operand(
    flagged(
      about(withDefault(text(), ''), 'the result, or your question, at most 256 KiB'),
      'result',
    ),
    2,
  ),
  state: flagged(about(text(MAX_NAME_BYTES), 'the new state', 'STATUS'), 'status'),
  percent: about(optional(percent), 'how much is done, 0 to 100'),
  /** Without a version an artifact is the file as it is now. */
  result: optional(
    object({
      json: about(optional(json), 'the result for programs'),
      artifacts: optional(
        manyOf(
          object({ file_key: text(MAX_PATH_BYTES), version: optional(version) }),
          MAX_TASK_LINKS,
        ),
      ),
    }),
  ),
  /** Absent: what the agent read by HTTP since it was granted the task. */
  basis: about(
    optional(
      manyOf(
        object({
          file_key: text(MAX_PATH_BYTES),
          version,
          from_line: optional(version),
          to_line: optional(version),
        }),
        MAX_TASK_LINKS,
      ),
    ),
    'versions of files that the result was made from',
  ),
  token: about(optional(version), 'the fencing token of your claim; an old one is refused'),
} as const
