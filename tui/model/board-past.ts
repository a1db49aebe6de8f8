import type { AgentId } from '../../protocol/ids.ts'
import { isoTime } from '../../workspace/document/schema.ts'
import { isTerminal } from '../../workspace/tasks/task-states.ts'
import type { Task } from '../../workspace/tasks/tasks.ts'
import type { FeedEntry } from './feed.ts'

/** The tasks as they were after the first `count` entries of the feed. Tasks that left the document are as the feed has them. */
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
