import type * as Y from 'yjs'
import type { TaskId } from '../../../protocol/ids.ts'
import { removeFrom } from '../../document/buckets.ts'
import { archivedTasks, metaOf, tasksOf } from '../../document/schema.ts'
import { archivedOf, storedTask } from '../task-archive.ts'
import type { TaskIndex } from '../task-index.ts'
import { isTerminal } from '../task-states.ts'
import { openDependents } from './dependencies.ts'
import type { Archive } from './filing.ts'
import type { TaskWorld } from './world.ts'

/** Ended tasks that stay in the document (count): every replica holds all of them. */
export const KEPT_ENDED_TASKS = 1_000
/** Tasks that one reconciliation archives at most (count), so that a turn of the room stays short. */
const MAX_ARCHIVED = 128

interface Retention {
  /** Tasks to archive now, in this order. */
  archive: readonly TaskId[]
  /** The ended tasks that stay, those first that ended first. */
  kept: readonly TaskId[]
  /** When more are due (milliseconds since the epoch; Infinity: never). */
  next: number
}

/** The ended tasks of a document, those first that ended first. */
export const endedIn = (index: TaskIndex): TaskId[] =>
  [...index.all]
    .filter(({ status }) => isTerminal(status.state))
    .sort((a, b) => a.status.at - b.status.at)
    .map(({ id }) => id)

/** Appends a task that has ended, once. */
export const noteEnded = (ended: TaskId[], id: TaskId): void => {
  if (ended.at(-1) !== id && !ended.includes(id)) ended.push(id)
}

/** Notes the position of the newest archived task: a replica that comes back reads the archive up to it. */
export const noteArchived = (doc: Y.Doc, count: number): void => {
  metaOf(doc).set('archivedTasks', archivedTasks(doc) + count)
}

/**
 * Archives the tasks that `retentionOf` names and takes them out of `ended`. Returns when more are due (milliseconds since
 * the epoch; Infinity: never). Call it in a transaction.
 */
export const archiveEnded = (
  ended: TaskId[],
  doc: Y.Doc,
  index: TaskIndex,
  world: TaskWorld,
  archive: Archive,
): number => {
  const { archive: leaving, kept, next } = retentionOf(ended, index, world)
  for (const id of leaving) {
    archive(storedTask(archivedOf(index.get(id)!, world.now)))
    world.archived.delete(id)
    removeFrom(tasksOf(doc), id)
    index.read(id)
  }
  if (kept.length < ended.length) ended.splice(0, Infinity, ...kept)
  return next
}

/**
 * The ended tasks that leave the document: those that ended long ago, and the oldest where there are too many. A task
 * that an open one waits for stays. `ended` has those first that ended first. Changes nothing.
 */
const retentionOf = (
  ended: readonly TaskId[],
  index: TaskIndex,
  { now, archiveAfterMs }: TaskWorld,
): Retention => {
  const archive: TaskId[] = []
  const kept: TaskId[] = []
  for (const [i, id] of ended.entries()) {
    const entry = index.get(id)
    if (entry === undefined) continue
    const areTooMany = ended.length - i + kept.length > KEPT_ENDED_TASKS
    const due = entry.status.at + archiveAfterMs
    const isDue = areTooMany || now >= due
    if (!isDue || archive.length >= MAX_ARCHIVED) {
      return { archive, kept: [...kept, ...ended.slice(i)], next: isDue ? now : due }
    }
    const isAwaited = openDependents(index, id).next().done !== true
    ;(isAwaited ? kept : archive).push(id)
  }
  return { archive, kept, next: Infinity }
}
