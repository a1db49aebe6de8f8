import { LazyMap, LazySet } from '../../../lib/lazy.ts'
import type { TaskId } from '../../../protocol/ids.ts'

/** The tasks to review: at the next reconciliation, or at a time. */
export class ReviewQueue {
  readonly #touched = new LazySet<TaskId>()
  readonly #due = new LazyMap<TaskId, number>()

  get isEmpty(): boolean {
    return this.#touched.size === 0
  }

  /** When the first task is due by time alone (milliseconds since the epoch; Infinity: never). */
  get next(): number {
    let next = Infinity
    for (const at of this.#due.values()) if (at < next) next = at
    return next
  }

  /** Has a task reviewed at the next reconciliation. */
  touch(id: TaskId): void {
    this.#touched.add(id)
  }

  /** Has a task reviewed at a time; Infinity: not by time alone. */
  schedule(id: TaskId, at: number): void {
    if (at < Infinity) this.#due.set(id, at)
    else this.#due.delete(id)
  }

  /** The touched tasks, then `changed`, then those that are due. They are no longer touched; they stay scheduled. */
  take(changed: Iterable<TaskId>, now: number): Set<TaskId> {
    const todo = new Set([...this.#touched, ...changed])
    this.#touched.clear()
    for (const [id, at] of this.#due) if (at <= now) todo.add(id)
    return todo
  }
}
