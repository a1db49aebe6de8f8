import type { AgentId } from '../../protocol/ids.ts'
import { isoTime } from '../../workspace/document/schema.ts'
import { isTerminal } from '../../workspace/tasks/task-states.ts'
import type { Task } from '../../workspace/tasks/tasks.ts'
import { byTime, type FeedEntry } from './feed.ts'
import { withAdded } from './sorted.ts'

/** The entries of the feed with the beginning and the end of archived tasks of which it has nothing. */
export const withArchived = (
  feed: readonly FeedEntry[],
  archived: readonly Task[],
): readonly FeedEntry[] => {
  if (archived.length === 0) return feed
  const known = new Set(feed.map(({ task }) => task))
  const added = archived.filter(({ task_id }) => !known.has(task_id)).flatMap(endsOf)
  return withAdded(feed, added, byTime)
}

const endsOf = (task: Task): FeedEntry[] => {
  const { task_id, from_agent, to_agent, owner, status, message } = task
  const common = { kind: 'task' as const, topic: '', task: task_id }
  const words = message === '' ? status : `${status}: ${message}`
  return [
    {
      ...{ id: task_id, at: Date.parse(task.created_at), from: from_agent, to: to_agent },
      ...{ text: `delegated: ${task.task}`, state: 'submitted', ...common },
    },
    {
      ...{ id: `${task_id}#end`, at: Date.parse(task.updated_at), from: owner ?? from_agent },
      ...{ to: null, text: `${words} (${task.task})`, state: status, ...common },
    },
  ]
}

/** The tasks by id, archived ones included. */
export const withArchivedTasks = (
  known: ReadonlyMap<string, Task>,
  archived: readonly Task[],
): ReadonlyMap<string, Task> =>
  archived.length === 0
    ? known
    : new Map([...archived.map((task): [string, Task] => [task.task_id, task]), ...known])

/** The tasks as they were after the first `count` entries of the feed. */
export const tasksAfter = (
  feed: readonly FeedEntry[],
  count: number,
  known: ReadonlyMap<string, Task>,
): Task[] => {
  const tasks = new Map<string, Task>()
  for (let i = 0; i < count; i++) {
    const entry = feed[i]!
    const { task: id, state } = entry
    if (id === undefined || state === undefined) continue
    const before = tasks.get(id) ?? known.get(id)
    if (before === undefined) continue
    const owner = ownerAfter(tasks.get(id)?.owner ?? null, entry)
    tasks.set(id, { ...before, status: state, owner, updated_at: isoTime(entry.at) })
  }
  return [...tasks.values()]
}

/** Whoever begins a task that nobody has owns it; one that is open again is owned by nobody. */
const ownerAfter = (owner: AgentId | null, { state, from }: FeedEntry): AgentId | null => {
  if (state === 'submitted') return null
  return state === 'working' || (state !== undefined && isTerminal(state)) ? (owner ?? from) : owner
}
