import type * as Y from 'yjs'
import type { ArchivedTask } from '../../workspace/tasks/task-archive.ts'
import {
  changeArchived,
  changeTask,
  endsTask,
  type RequestedChange,
} from '../../workspace/tasks/task-change.ts'
import type { MoveOutcome } from '../../workspace/tasks/task-commands.ts'
import type { TaskCommand } from '../../workspace/tasks/task-replay.ts'
import { findEntry, type Task } from '../../workspace/tasks/tasks.ts'
import type { UpdateLog } from '../storage/update-log.ts'
import { checkRoom } from '../sync/full.ts'
import type { Room } from '../sync/room.ts'
import { findArchived, type TaskScheduler } from './scheduler.ts'

/** The tasks of the rooms, and the archive. */
export interface TaskEnv {
  tasks: TaskScheduler
  updateLog: UpdateLog
}

/** Changes a task, live or archived. Throws `quota`, and what the change throws. */
export const changeIn = async (
  env: TaskEnv,
  room: Room,
  change: RequestedChange & TaskCommand,
): Promise<Task> => {
  if (!endsTask(change)) checkRoom(room)
  const { task, refused } = await onTask<MoveOutcome>(
    env,
    room,
    change.task,
    (doc) => changeTask(doc, change),
    (archived) => ({ task: changeArchived(archived, change) }),
  )
  if (refused !== undefined) throw refused
  return task
}

/**
 * Runs `live` on the tasks as they are now, or `archived` where this one has left the document. Throws what they throw;
 * `live` is to throw `unknown_task` where there is none.
 */
export const onTask = async <T>(
  env: TaskEnv,
  room: Room,
  task: string,
  live: (doc: Y.Doc) => T,
  archived: (task: ArchivedTask) => T,
  run = <U>(change: (doc: Y.Doc) => U) => env.tasks.command(room, change),
): Promise<T> => {
  // Resolves when it is on disk that the task has gone, and so in the archive.
  const done = await run((doc) =>
    findEntry(doc, task) === undefined ? null : { value: live(doc) },
  )
  if (done !== null) return done.value
  const found = await findArchived(env.updateLog, room.name, task)
  return found === null ? run(live) : archived(found)
}
