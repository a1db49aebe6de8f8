import type * as Y from 'yjs'
import type { AgentId } from '../../protocol/ids.ts'
import { PRIORITIES, type TaskState } from '../document/schema.ts'
import { isTakeable } from './task-routing.ts'
import { isTerminal } from './task-states.ts'
import { findEntry, listTasks, type Task } from './tasks.ts'

const rank = ({ priority }: Task): number => -PRIORITIES.indexOf(priority)

/** Orders in which tasks can be listed. */
export const TASK_SORTS = {
  priority: (a: Task, b: Task) => rank(a) - rank(b),
  created: (a: Task, b: Task) => (a.created_at < b.created_at ? -1 : 1),
  updated: (a: Task, b: Task) => (a.updated_at > b.updated_at ? -1 : 1),
} as const
export type TaskSort = keyof typeof TASK_SORTS

/** Filters of a list of tasks; false filters nothing. */
export interface TaskFilter {
  /** Null: all tasks that have not ended. */
  states: readonly TaskState[] | null
  /** The agent of the next three filters; null: none. */
  me: AgentId | null
  mine: boolean
  fromMe: boolean
  ready: boolean
  sort: TaskSort
}

/** The live tasks that match; of the same rank the oldest first. */
export const selectTasks = (doc: Y.Doc, filter: TaskFilter): Task[] => {
  const { states, me, mine, fromMe, ready, sort } = filter
  const isReady = ({ task_id }: Task): boolean =>
    me !== null && isTakeable(doc, findEntry(doc, task_id)!, me, (id) => findEntry(doc, id))
  return listTasks(doc)
    .filter((task) => states?.includes(task.status) ?? !isTerminal(task.status))
    .filter(({ owner, to_agent }) => !mine || (owner ?? to_agent) === me)
    .filter(({ from_agent }) => !fromMe || from_agent === me)
    .filter((task) => !ready || isReady(task))
    .sort(TASK_SORTS[sort])
}
