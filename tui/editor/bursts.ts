/** Calls `run` after `ms` milliseconds. Returns a function that cancels the call. */
export type Later = (ms: number, run: () => void) => () => void

export const laterByTimer: Later = (ms, run) => {
  const timer = setTimeout(run, ms)
  return () => clearTimeout(timer)
}

/** After such a pause what was typed before it is one change set. */
export const PAUSE_MS = 2_000
/** Typing without a pause is counted this often: others see the version move, and a crash leaves little uncounted. */
export const LONGEST_BURST_MS = 15_000

/** Groups edits into bursts, and has each counted once. */
export class Bursts {
  #cancel: (() => void) | null = null
  #since = 0
  readonly #count: () => void
  readonly #now: () => number
  readonly #later: Later

  constructor(count: () => void, now: () => number, later: Later) {
    this.#count = count
    this.#now = now
    this.#later = later
  }

  edited(): void {
    const now = this.#now()
    if (this.#cancel === null) this.#since = now
    this.#cancel?.()
    const left = LONGEST_BURST_MS - (now - this.#since)
    this.#cancel = this.#later(Math.max(0, Math.min(PAUSE_MS, left)), () => this.end())
  }

  /** Counts what is not counted yet. */
  end(): void {
    if (this.#cancel === null) return
    this.#cancel()
    this.#cancel = null
    this.#count()
  }
}
