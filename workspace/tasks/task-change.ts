import type * as Y from 'yjs'
import type { TaskResult, TaskState } from '../document/schema.ts'
import type { ReadFile, StaleFile } from '../files/stale.ts'
import type { ArchivedTask } from './task-archive.ts'
import {
  approveTask,
  cancelTask,
  claimTask,
  declineTask,
  type MoveOutcome,
  moveTask,
  releaseTask,
} from './task-commands.ts'
import { IS_DONE, replayArchived, type TaskCommand } from './task-replay.ts'
import { isTerminal } from './task-states.ts'
import type { Task } from './tasks.ts'

const PLAIN = {
  claim: claimTask,
  release: releaseTask,
  decline: declineTask,
  approve: approveTask,
  cancel: cancelTask,
} as const

/** A change of a task. Only the server makes it; its JSON is the body of `POST …/tasks/ID/<name>`. */
export interface RequestedChange {
  name: 'status' | keyof typeof PLAIN
  message: string
  /** Of `status`, as the fields after it. */
  state?: TaskState
  to?: string | undefined
  token?: number | undefined
  percent?: number | undefined
  result?: TaskResult | undefined
  /** Versions of files that the result was made from. */
  basis?: readonly ReadFile[] | undefined
  /** Those of them that others changed since, found by the server. */
  stale?: readonly StaleFile[] | undefined
  /** Of `cancel`: at once. */
  force?: boolean
}

/** Makes a change. Throws what the command throws: workspace/tasks/task-commands.ts. Server only. */
export const changeTask = (doc: Y.Doc, change: RequestedChange & TaskCommand): MoveOutcome =>
  change.name === 'status'
    ? moveTask(doc, { ...change, state: change.state! })
    : { task: PLAIN[change.name](doc, change) }

/** The same for an archived task. Throws `key_reused`, and `task_terminal` for a new key. */
export const changeArchived = (task: ArchivedTask, change: RequestedChange & TaskCommand): Task => {
  const { name } = change
  const isDone = name === 'status' ? IS_DONE.status(change.state!) : IS_DONE[name]
  return replayArchived(task, change, isDone)
}

/** True for a change that ends a task: a full workspace accepts it, too. */
export const endsTask = ({ name, state }: RequestedChange): boolean =>
  name === 'approve' || name === 'cancel' || (state !== undefined && isTerminal(state))
