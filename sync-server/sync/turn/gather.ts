/** What the usual size of a commit loses with each smaller one. */
const DECAY = 0.9

/**
 * Decides whether a commit begins at once or waits for more to come. Writers who wait for each other's updates fall
 * into step with the commits: some write into this one, the others into the next, and each pays for a send to every
 * reader. So while there is less than usual, a commit is put off for as long as the last send to all took: in the
 * worst case that doubles its cost, in the usual case it saves one (the ski-rental rule; Karlin et al., "Competitive
 * snoopy caching", 1988). A lone writer never waits.
 */
export class Gather {
  /** Updates in a commit lately. */
  #usual = 0
  #sendMs = 0
  /** When waiting began; `performance.now()`. */
  #since: number | null = null

  /** Whether a commit of `size` updates should wait for another turn of the event loop. */
  wait(size: number): boolean {
    const now = performance.now()
    const since = this.#since ?? now
    const wait = size > 0 && size < this.#usual && now - since < this.#sendMs
    this.#since = wait ? since : null
    return wait
  }

  /** A commit of `size` updates took this long to send to everyone. */
  sent(size: number, ms: number): void {
    this.#usual = Math.max(size, this.#usual * DECAY)
    this.#sendMs = ms
  }
}
