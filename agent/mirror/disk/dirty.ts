/** A path that never settles is taken after this time (ms). */
export const RESTLESS_MS = 5_000

/** Handles the paths that are due; it may mark more. */
type Take = (rels: readonly string[]) => Promise<void>

/**
 * Queue of dirty paths. Each path is taken once it has settled; one turn runs at a time. A path may
 * be marked at any time. A turn begins when a path is due and the last turn has ended.
 */
export class DirtyPaths {
  readonly #take: Take
  /** Due time of each path and the time it became dirty; milliseconds since the epoch. */
  readonly #paths = new Map<string, { due: number; since: number }>()
  /** Paths that another program seems to be writing, and since when. */
  readonly #unsettled = new Map<string, { how: string; since: number }>()
  readonly #idlers: (() => void)[] = []
  #turn: Promise<void> | null = null
  #timer: NodeJS.Timeout | null = null
  #timerDue = 0
  #isRunning = false
  #isEnded = false

  /** `take` does not reject. */
  constructor(take: Take) {
    this.#take = take
  }

  get size(): number {
    return this.#paths.size
  }

  has(rel: string): boolean {
    return this.#paths.has(rel)
  }

  /** Starts the turns. */
  run(): void {
    this.#isRunning = true
    this.#schedule()
  }

  /** Starts no further turn. */
  end(): void {
    this.#isEnded = true
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#wake()
  }

  /** Resolves when no turn runs. */
  async settled(): Promise<void> {
    await this.#turn
  }

  /** Resolves when no path is left for now. */
  async idle(): Promise<void> {
    while (!this.#isEnded && (this.#paths.size > 0 || this.#turn !== null)) {
      await new Promise<void>((resolve) => this.#idlers.push(resolve))
    }
  }

  /**
   * Marks a path: it is due `delay` ms after its last mark, at most RESTLESS_MS after its first.
   */
  mark(rel: string, delay: number): void {
    const now = Date.now()
    const since = this.#paths.get(rel)?.since ?? now
    const due = Math.min(now + delay, since + RESTLESS_MS)
    this.#paths.set(rel, { due, since })
    if (this.#timer === null || due < this.#timerDue) this.#schedule()
  }

  /** Takes a path off the queue; a turn compares it now. */
  begin(rel: string): void {
    this.#paths.delete(rel)
  }

  /** Returns true and marks the path again if it has looked like `how` for less than `ms`. */
  isUnsettled(rel: string, how: string, ms: number, again = ms): boolean {
    const now = Date.now()
    let known = this.#unsettled.get(rel)
    if (known?.how !== how) {
      known = { how, since: now }
      this.#unsettled.set(rel, known)
    }
    const left = known.since + ms - now
    if (left <= 0) return false
    this.mark(rel, Math.min(left, again))
    return true
  }

  /** No program seems to be writing the path. */
  settle(rel: string): void {
    this.#unsettled.delete(rel)
  }

  #wake(): void {
    for (const idler of this.#idlers.splice(0)) idler()
  }

  #schedule(): void {
    if (!this.#isRunning || this.#isEnded || this.#turn !== null) return
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    if (this.#paths.size === 0) {
      this.#wake()
      return
    }
    let due = Number.POSITIVE_INFINITY
    for (const one of this.#paths.values()) due = Math.min(due, one.due)
    this.#timerDue = due
    this.#timer = setTimeout(() => this.#onTime(), Math.max(0, due - Date.now()))
  }

  #onTime(): void {
    this.#timer = null
    const now = Date.now()
    const due = [...this.#paths].filter(([, one]) => one.due <= now).map(([rel]) => rel)
    this.#turn = this.#take(due).finally(() => {
      this.#turn = null
      this.#schedule()
    })
  }
}
