/** What waits in a room to be run. */
export interface Queued {
  /** Who asked for it, of whom others are not to wait for all that it asked for. */
  by: string
  /** Runs in the same turn as the one before it, of the same. */
  joins: boolean
}

/** Commands that wait for a turn: those of one in their order, and one of each in turn. */
export class CommandQueue<C extends Queued> {
  readonly #of = new Map<string, C[]>()
  #size = 0

  /** How many wait. */
  get size(): number {
    return this.#size
  }

  push(command: C): void {
    const queue = this.#of.get(command.by)
    if (queue === undefined) this.#of.set(command.by, [command])
    else queue.push(command)
    this.#size++
  }

  /** All that wait; none waits any more. */
  takeAll(): C[] {
    const all: C[] = []
    while (this.#size > 0) all.push(...this.next())
    return all
  }

  /** The next ones, which are to run together; none where nothing waits. */
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
