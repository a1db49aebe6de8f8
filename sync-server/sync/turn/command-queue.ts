import { LazyMap } from '../../../lib/lazy.ts'
/** A command that waits in a room. */
export interface Queued {
  /** The caller; callers take turns, so that nobody waits for all commands of another. */
  by: string
  /** True if it runs in the same turn as the caller's previous command. */
  joins: boolean
}

/** Waiting commands: in order per caller, round-robin between callers. */
export class CommandQueue<C extends Queued> {
  readonly #of = new LazyMap<string, C[]>()
  #size = 0

  /** Waiting commands (count). */
  get size(): number {
    return this.#size
  }

  push(command: C): void {
    const queue = this.#of.get(command.by)
    if (queue === undefined) this.#of.set(command.by, [command])
    else queue.push(command)
    this.#size++
  }

  /** Removes and returns all commands. */
  takeAll(): C[] {
    const all: C[] = []
    while (this.#size > 0) all.push(...this.next())
    return all
  }

  /** Removes and returns the next commands, which run together; none if the queue is empty. */
  next(): C[] {
    for (const [by, queue] of this.#of) {
      const together = queue.findIndex(({ joins }, i) => i > 0 && !joins)
      const taken = queue.splice(0, together === -1 ? queue.length : together)
      this.#of.delete(by)
      if (queue.length > 0) this.#of.set(by, queue)
      this.#size -= taken.length
      return taken
    }
    return []
  }
}
