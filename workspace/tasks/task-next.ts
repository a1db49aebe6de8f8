import type * as Y from 'yjs'
import { ClawError } from '../../protocol/errors.ts'
import type { AgentId } from '../../protocol/ids.ts'
import { claimTask } from './task-commands.ts'
import type { TaskIndex } from './task-index.ts'
import { isTakeable } from './task-routing.ts'
import { historyOf, type Task, type TaskEntry } from './tasks.ts'

export interface NextCommand {
  by: AgentId
  /** Only tasks that require one of these; absent: any that `by` can take. */
  caps?: readonly string[] | undefined
  key: string
  now: number
}

/**
 * Grants the most urgent task that `by` can take. Throws `nothing_to_claim`. The cost grows with
 * the open tasks. Server only.
 */
export const claimNext = (doc: Y.Doc, index: TaskIndex, command: NextCommand): Task => {
  const { by, caps, key, now } = command
  const isDone = ({ status, ...entry }: TaskEntry): boolean =>
    status.owner === by &&
    historyOf({ status, ...entry }).some((step) => step.key === key && step.by === by)
  const fits = (entry: TaskEntry): boolean =>
    isTakeable(doc, entry, by, (id) => index.get(id)) &&
    entry.status.declined?.includes(by) !== true &&
    (caps === undefined || caps.some((cap) => entry.facts.requires?.includes(cap)))
  const found = index.open.find(isDone) ?? index.open.find(fits)
  if (found !== undefined) return claimTask(doc, { task: found.id, by, key, now, message: '' })
  const open = index.open.filter(({ status }) => status.state === 'submitted').length
  throw new ClawError(
    'nothing_to_claim',
    open === 0 ? 'no task is open' : `you can take none of the ${open} open tasks now`,
    'wait --type task_delegation blocks until you are asked; tasks shows what is open, and task ID why',
  )
}
