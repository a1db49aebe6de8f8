/** The factor by which the usual size of a commit shrinks with each smaller one. */
const DECAY = 0.9

/**
 * Decides between committing at once and waiting for more updates. Writers that wait for each
 * other's updates fall into step with the commits: some write into this one, the others into the
 * next, and each commit costs a send to every reader. A smaller commit than usual therefore waits
 * for at most the time of the last send to all: in the worst case that doubles its cost, in the
 * usual case it saves a send (the ski-rental rule; Karlin et al., "Competitive snoopy caching",
 * 1988). A lone writer never waits.
 */
export class Gather {
  /** Updates in a recent commit (count). */
  #usual = 0
  #sendMs = 0
  /** When waiting began; `performance.now()`. */
  #since: number | null = null

  /** True if a commit of `size` updates should wait for another turn of the event loop. */
  wait(size: number): boolean {
    const now = performance.now()
    const since = this.#since ?? now
    const wait = size > 0 && size < this.#usual && now - since < this.#sendMs
    this.#since = wait ? since : null
    return wait
  }

  /** Notes that sending a commit of `size` updates to all readers took `ms` milliseconds. */
  sent(size: number, ms: number): void {
    this.#usual = Math.max(size, this.#usual * DECAY)
    this.#sendMs = ms
  }
}
