import type * as Y from 'yjs'
import { keyReused } from '../../protocol/idempotency.ts'
import type { AgentId } from '../../protocol/ids.ts'
import { isoTime, type TaskState, type Transition } from '../document/schema.ts'
import { type ArchivedTask, showArchived } from './task-archive.ts'
import { terminalError } from './task-rules.ts'
import { getTask, historyOf, type Task, type TaskEntry } from './tasks.ts'

/** The fields of every command on a task. Server only. */
export interface TaskCommand {
  task: string
  by: AgentId
  /** Idempotency key: a repeated command gets the first outcome again. */
  key: string
  /** Milliseconds since the epoch, by the server's clock. */
  now: number
  /** A reason, a note, a result. */
  message: string
}

/** Tells whether a step of a task's history is the outcome of a command. */
export const IS_DONE = {
  /**
   * A result may have become a request for approval, a rejection may have left the task to others.
   */
  status:
    (wanted: TaskState) =>
    ({ state, event }: Transition): boolean =>
      state === wanted ||
      (wanted === 'completed' && event === 'approval-asked') ||
      (wanted === 'rejected' && event === 'declined') ||
      (wanted === 'canceled' && event === 'cancel-asked'),
  claim: ({ event }: Transition): boolean => event === 'claimed',
  release: ({ event }: Transition): boolean => event === 'released',
  decline: ({ event, state }: Transition): boolean =>
    event === 'declined' || event === 'sent-back' || state === 'rejected',
  approve: ({ event }: Transition): boolean => event === 'approved',
  cancel: ({ event, state }: Transition): boolean =>
    event === 'cancel-asked' || state === 'canceled',
}

/** The answer that the same key got before; null: the key is new. Throws `key_reused`. */
export const replay = (
  doc: Y.Doc,
  entry: TaskEntry,
  command: TaskCommand,
  isDone: (step: Transition) => boolean,
): Task | null => {
  const done = doneBy(historyOf(entry), command, isDone)
  return done === null ? null : asOf(getTask(doc, entry.id), done)
}

/**
 * The answer of a command on an archived task: the answer that the same key got before. Throws
 * `key_reused`, and `task_terminal` for a new key.
 */
export const replayArchived = (
  task: ArchivedTask,
  command: TaskCommand,
  isDone: (step: Transition) => boolean,
): Task => {
  const steps = task.history.map(({ value }) => value)
  const done = doneBy(steps, command, isDone)
  if (done === null) throw terminalError(task)
  return asOf(showArchived(task), done)
}

const doneBy = (
  history: readonly Transition[],
  command: Pick<TaskCommand, 'task' | 'by' | 'key' | 'message'>,
  isDone: (step: Transition) => boolean,
): Transition | null => {
  // A grant that came with a result has the same key.
  const done = history.findLast(({ key, by }) => key === command.key && by === command.by)
  if (done === undefined) return null
  // An approved step has the message of its result, not of the approval.
  if (isDone(done) && (done.event === 'approved' || done.message === command.message)) return done
  throw keyReused(command.key, command.task)
}

/** The task as it was after a step. */
const asOf = (task: Task, { state, message, revision, at }: Transition): Task => ({
  ...task,
  ...{ status: state, message, revision, updated_at: isoTime(at) },
})
