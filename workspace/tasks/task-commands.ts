import type * as Y from 'yjs'
import { shellFlag } from '../../lib/text/quote.ts'
import { ClawError } from '../../protocol/errors.ts'
import type { AgentId } from '../../protocol/ids.ts'
import { MAX_RESULT_BYTES, MAX_RESULT_JSON_BYTES } from '../../protocol/limits.ts'
import type { Note, TaskResult, TaskState, TaskStatus } from '../document/schema.ts'
import { within } from '../document/validate.ts'
import { boundedStale, type StaleFile, staleText } from '../files/stale.ts'
import { isJudgement, judge } from './task-approval.ts'
import { IS_DONE, replay, type TaskCommand } from './task-replay.ts'
import { checkTo, lostGrant, roleFor, takenError } from './task-rules.ts'
import { isTerminal, type TaskRole } from './task-states.ts'
import { push, writeStep } from './task-write.ts'
import { entryOf, getTask, type Task, type TaskEntry, taskNotes } from './tasks.ts'

/** Time that an owner who was asked to stop has for it (milliseconds). */
export const CANCEL_GRACE_MS = 60_000

/** The command of `moveTask`. */
export interface Move extends TaskCommand {
  state: TaskState
  /** The agent that the sender believes it answers (id or name). */
  to?: string | undefined
  /** Token of the grant under which the work was done; an older grant is rejected. */
  token?: number | undefined
  percent?: number | undefined
  result?: TaskResult | undefined
  /** Files that the result was made from and that others changed since. */
  stale?: readonly StaleFile[] | undefined
}

/** The outcome of a command. With `refused` it was rejected and yet has kept a note. */
export interface MoveOutcome {
  task: Task
  refused?: ClawError
}

/**
 * Moves a task, or throws: `unknown_task`, `unknown_agent`, `task_terminal`, `task_taken` (another
 * agent owns it), `task_state` (no such transition), `task_blocked`, `not_allowed`, `key_reused`,
 * `too_large`. Work under a grant that has ended is rejected with `lease_lost`; its text is kept as
 * a note.
 */
export const moveTask = (doc: Y.Doc, command: Move): MoveOutcome => {
  const { by, now, key, percent } = command
  const entry = entryOf(doc, command.task)
  const message = within('result', command.message, MAX_RESULT_BYTES)
  within('result-json', JSON.stringify(command.result?.json ?? null), MAX_RESULT_JSON_BYTES)
  checkTo(doc, entry, command)
  const done = replay(doc, entry, command, IS_DONE.status(command.state))
  if (done !== null) return { task: done }
  if (entry.facts.approver === by && isJudgement(entry, command.state)) {
    return { task: judge(doc, entry, command, command.state === 'completed') }
  }
  const state = declines(entry, command) ? 'submitted' : command.state

  const { status } = entry
  const lost = lostGrant(entry, command)
  if (lost !== null) {
    if (message !== '') keepNote(doc, entry, { by, text: message, at: now, key })
    return { task: getTask(doc, entry.id), refused: lost }
  }
  const role = roleFor(doc, entry, by, state)
  if (role === 'creator' && status.state === 'working' && state === 'working') {
    throw new ClawError(
      'not_allowed',
      `only the owner of ${entry.id} can report progress`,
      'to ask it to stop: cancel; to tell it something: note',
    )
  }
  if (state === 'canceled') return { task: cancelNow(doc, entry, command, role) }
  if (state === 'submitted') {
    if (status.state === 'submitted') return { task: declineTask(doc, command) }
    return { task: releaseNow(doc, entry, command) }
  }
  // An addressee that begins with a result is granted the task in the same step.
  const granted = role === 'addressee' && state !== 'rejected' ? grantTo(entry, by) : null
  const answered = role === 'creator' && status.state === 'input-required'
  const awaits = state === 'completed' && entry.facts.approver !== undefined
  if (state === 'completed') checkFresh(entry, command)
  const result = resultOf(command)
  const written = writeStep(doc, entry, {
    ...{ by, message, now, key },
    state: awaits ? 'input-required' : state,
    ...(granted !== null && { owner: by }),
    ...(granted !== null && state === 'working' && { event: 'claimed' as const }),
    ...(awaits && { event: 'approval-asked' as const }),
    ...(answered && { event: 'answered' as const }),
    more: {
      ...granted,
      ...(percent !== undefined && { percent }),
      ...(awaits && { pending: true as const }),
      ...(result !== undefined && (isTerminal(state) || awaits) && { result }),
    },
  })
  return { task: getTask(doc, written.id) }
}

/** Throws `stale` for a result that its creator wants fresh, and is not. */
const checkFresh = ({ id, facts }: TaskEntry, { stale = [] }: Move): void => {
  const [first] = stale
  if (facts.fresh !== true || first === undefined) return
  throw new ClawError(
    'stale',
    `others changed ${first.file_key} since you read it: ${staleText(first)}`,
    `file-get ${shellFlag('key', first.file_key)}, check your result against it, then respond to ${id} again`,
  )
}

const resultOf = ({ result, stale = [] }: Move): TaskResult | undefined => {
  const bounded = boundedStale(stale)
  return bounded.length === 0 ? result : { ...result, stale: bounded }
}

/**
 * Grants a task to `by`, which may then work on it alone. Throws as `moveTask`, except
 * `lease_lost`: the grant is new.
 */
export const claimTask = (doc: Y.Doc, command: TaskCommand): Task => {
  const entry = entryOf(doc, command.task)
  const { by } = command
  const done = replay(doc, entry, command, IS_DONE.claim)
  if (done !== null) return done
  const { owner, state } = entry.status
  if (owner === by && !isTerminal(state)) return getTask(doc, entry.id)
  // The creator can also make it working, by an answer.
  if (owner !== null && !isTerminal(state)) throw takenError(entry)
  roleFor(doc, entry, by, 'working')
  return getTask(doc, grant(doc, entry, by, command).id)
}

/** Releases a task: it is offered to others. Throws as `moveTask`. */
export const releaseTask = (doc: Y.Doc, command: TaskCommand): Task => {
  const entry = entryOf(doc, command.task)
  const done = replay(doc, entry, command, IS_DONE.release)
  if (done !== null) return done
  if (entry.status.state === 'submitted') {
    throw new ClawError(
      'task_state',
      `nobody has claimed ${entry.id}, so there is nothing to release`,
      'to refuse it: decline',
    )
  }
  roleFor(doc, entry, command.by, 'submitted')
  return releaseNow(doc, entry, command)
}

/**
 * Declines an offered task: others are then asked, or it ends as rejected where it was given to one
 * agent. An approver declines a result, which returns to its owner. Throws as `moveTask`.
 */
export const declineTask = (doc: Y.Doc, command: TaskCommand): Task => {
  const entry = entryOf(doc, command.task)
  const { by } = command
  const done = replay(doc, entry, command, IS_DONE.decline)
  if (done !== null) return done
  if (entry.facts.approver === by && entry.status.pending) return judge(doc, entry, command, false)
  if (entry.status.owner === by && !isTerminal(entry.status.state)) {
    throw new ClawError('task_state', `you own ${entry.id}`, 'to give it back: release')
  }
  if (entry.facts.to === by) {
    roleFor(doc, entry, by, 'rejected')
    const { now, key, message } = command
    return getTask(doc, writeStep(doc, entry, { state: 'rejected', by, message, key, now }).id)
  }
  roleFor(doc, entry, by, 'submitted')
  return declineNow(doc, entry, command)
}

/** Approves a result that waits for `by`. Throws as `moveTask`. */
export const approveTask = (doc: Y.Doc, command: TaskCommand): Task => {
  const entry = entryOf(doc, command.task)
  const done = replay(doc, entry, command, IS_DONE.approve)
  return done ?? judge(doc, entry, command, true)
}

/**
 * Cancels a task. An owner that works on it is asked to stop, and has CANCEL_GRACE_MS for it;
 * `force` cancels at once. Throws as `moveTask`.
 */
export const cancelTask = (doc: Y.Doc, command: TaskCommand & { force?: boolean }): Task => {
  const entry = entryOf(doc, command.task)
  const done = replay(doc, entry, command, IS_DONE.cancel)
  if (done !== null) return done
  return cancelNow(doc, entry, command, roleFor(doc, entry, command.by, 'canceled'))
}

const cancelNow = (
  doc: Y.Doc,
  entry: TaskEntry,
  { by, message, key, now, force = false }: TaskCommand & { force?: boolean },
  role: TaskRole,
): Task => {
  const { status } = entry
  if (role === 'owner' && status.cancel === undefined) {
    throw new ClawError(
      'not_allowed',
      `nobody asked you to stop ${entry.id}`,
      'to give it back: release; to end it: respond --status failed',
    )
  }
  if (role !== 'creator' || force || status.state !== 'working' || status.owner === by) {
    return getTask(doc, writeStep(doc, entry, { state: 'canceled', by, message, key, now }).id)
  }
  if (status.cancel !== undefined) return getTask(doc, entry.id)
  const until = now + CANCEL_GRACE_MS
  const more = { cancel: { by, at: now, reason: message, until } }
  const step = { state: 'working', by, message, key, now, event: 'cancel-asked', more } as const
  return getTask(doc, writeStep(doc, entry, step).id)
}

/** The fields of a task's status that a grant changes. */
const grantTo = ({ status }: TaskEntry, by: AgentId): Partial<TaskStatus> => {
  const without = (list: AgentId[] | undefined) => (list ?? []).filter((id) => id !== by)
  const { token, lost, declined } = status
  return { token: token + 1, lost: without(lost), declined: without(declined) }
}

const grant = (doc: Y.Doc, entry: TaskEntry, by: AgentId, { key, now }: TaskCommand): TaskEntry => {
  const step = { state: 'working', by, message: '', key, now, event: 'claimed', owner: by } as const
  return writeStep(doc, entry, { ...step, more: grantTo(entry, by) })
}

const releaseNow = (doc: Y.Doc, entry: TaskEntry, command: TaskCommand): Task => {
  const { by, message, key, now } = command
  const { ended = 0, declined = [] } = entry.status
  const step = {
    state: 'submitted',
    by,
    message,
    key,
    now,
    event: 'released',
    owner: null,
  } as const
  const more = { ended: ended + 1, declined: [...new Set([...declined, by])] }
  return getTask(doc, writeStep(doc, entry, { ...step, more }).id)
}

const declineNow = (doc: Y.Doc, entry: TaskEntry, command: TaskCommand): Task => {
  const { by, message, key, now } = command
  const more = { declined: [...new Set([...(entry.status.declined ?? []), by])] }
  const step = { state: 'submitted', by, message, key, now, event: 'declined', more } as const
  return getTask(doc, writeStep(doc, entry, step).id)
}

/** Rejecting an open task that several agents may take declines it. */
const declines = ({ facts, status }: TaskEntry, { state }: Move): boolean =>
  state === 'rejected' && facts.to === null && status.state === 'submitted'

const keepNote = (doc: Y.Doc, entry: TaskEntry, note: Note): void => {
  // The same command again.
  const isKept = ({ key, by }: Note): boolean => key === note.key && by === note.by
  if (entry.record === null || taskNotes(doc, entry).some(isKept)) return
  push(entry.record, 'notes', note)
}
