import { LazyMap } from '../../../lib/lazy.ts'
import type { TaskId } from '../../../protocol/ids.ts'
import type { TaskState } from '../../document/schema.ts'
import type { TaskIndex } from '../task-index.ts'
import { isTerminal } from '../task-states.ts'
import { cycleOf, type TaskEntry } from '../tasks.ts'
import type { ReconcileView } from './world.ts'

/** `failed`: why the task can never start. `lookUp`: dependencies whose state only the archive knows. */
type Dependencies = { failed: string } | { isReady: boolean; lookUp: readonly TaskId[] }

export const dependencyState = ({ id, facts }: TaskEntry, view: ReconcileView): Dependencies => {
  const cycle = view.cycles.get(id)
  if (cycle !== undefined) return { failed: `it waits for itself: ${cycle.join(' → ')}` }
  const lookUp: TaskId[] = []
  let isReady = true
  for (const other of facts.after ?? []) {
    const state = stateOf(other, view)
    if (state === undefined) lookUp.push(other)
    if (state === null) return { failed: `it waits for ${other}, which is not there` }
    if (state === undefined || !isTerminal(state)) isReady = false
    else if (state !== 'completed' && facts.afterFailed !== 'run') {
      return { failed: `${other}, for which it waits, is ${state}` }
    }
  }
  return { isReady, lookUp }
}

/** The state of a task, filed or archived; null: no such task; undefined: the archive was not asked yet. */
const stateOf = (id: TaskId, { index, world }: ReconcileView): TaskState | null | undefined => {
  const filed = index.get(id)
  if (filed !== undefined) return filed.status.state
  const archived = world.archived.get(id)
  return archived === undefined || archived === null ? archived : archived.status.state
}

/** The open tasks that wait for this one. */
export const openDependents = function* (index: TaskIndex, id: TaskId): Generator<TaskId> {
  for (const other of index.dependents(id)) {
    const entry = index.get(other)
    if (entry !== undefined && !isTerminal(entry.status.state)) yield other
  }
}

/**
 * Finds tasks that wait for themselves. The dependencies of a task never change, so only a task that is filed can close
 * a cycle. The search stops when the links of this reconciliation are used up.
 */
export class CycleSearch {
  readonly #index: TaskIndex
  readonly #found = new LazyMap<TaskId, readonly TaskId[]>()
  #links = 0

  constructor(index: TaskIndex) {
    this.#index = index
  }

  get found(): ReadonlyMap<TaskId, readonly TaskId[]> {
    return this.#found
  }

  /** Tells whether more links were followed than `refill` allowed. */
  get isSpent(): boolean {
    return this.#links < 0
  }

  /** Allows `links` more links to be followed (count). */
  refill(links: number): void {
    this.#links = links
  }

  /** Looks for a cycle through a task that was just filed. Returns whether there is one. */
  seek(id: TaskId, after: readonly TaskId[]): boolean {
    if (after.length === 0 || this.#index.dependents(id).size === 0) return false
    const cycle = cycleOf(id, after, (other) => {
      const links = this.#index.get(other)?.facts.after
      this.#links -= 1 + (links?.length ?? 0)
      return links
    })
    if (cycle !== null) this.#found.set(id, cycle)
    return cycle !== null
  }
}
