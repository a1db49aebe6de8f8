/** A node whose beats do not change for this long is silent (milliseconds): its lease of 4 s has ended by then. */
export const SUSPECTED_MS = 5_000
/** With its port closed this is long enough (milliseconds): no process is left that could read. */
export const STALE_MS = 1_500
/** An observer with a longer time between two looks (milliseconds) saw no silence: it slept. */
const LONGEST_GAP_MS = 2_500

interface Seen {
  /** Its beats at the last look. */
  n: string
  /** When this node saw that count first, by its own monotonic clock (milliseconds). */
  since: number
}

/**
 * The silence of other nodes, as seen by one that looks each second. Only its own monotonic clock counts. A node
 * that did not look regularly judges nobody before it has looked for SUSPECTED_MS: else one that was stopped for a minute
 * would fence all others.
 */
export class Suspicion {
  readonly #seen = new Map<string, Seen>()
  #lookedAt: number | null = null

  /** Notes the beats of all nodes, seen at that time (milliseconds). */
  look(at: number, beats: Iterable<readonly [id: string, n: string]>): void {
    if (this.#lookedAt === null || at - this.#lookedAt > LONGEST_GAP_MS) this.#seen.clear()
    this.#lookedAt = at
    const before = new Map(this.#seen)
    this.#seen.clear()
    for (const [id, n] of beats) {
      const known = before.get(id)
      this.#seen.set(id, known?.n === n ? known : { n, since: at })
    }
  }

  /** Milliseconds for which this node has watched a node give no sign of life; null: it cannot tell. */
  silentMs(id: string, at: number): number | null {
    if (this.#lookedAt === null || at - this.#lookedAt > LONGEST_GAP_MS) return null
    const seen = this.#seen.get(id)
    // The silence lasted at least until the last look.
    return seen === undefined ? null : this.#lookedAt - seen.since
  }

  isSilent(id: string, at: number): boolean {
    return (this.silentMs(id, at) ?? 0) >= SUSPECTED_MS
  }

  isStale(id: string, at: number): boolean {
    return (this.silentMs(id, at) ?? 0) >= STALE_MS
  }
}
