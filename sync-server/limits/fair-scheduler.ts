/** Milliseconds per turn of the event loop for one sender's messages on arrival. */
const SHARE_MS = 1
/** Milliseconds per turn for all deferred work. */
const LATE_MS = 1
/** Milliseconds for one deferred work before the next one runs. */
const STEP_MS = 0.5

/** A sender is busy this long after its last message (milliseconds). */
const BUSY_MS = 1_000

/** Milliseconds per turn for requests; further requests wait for the next turn. */
const REQUESTS_MS = 4

/** One sender's use of a turn, over all of its connections. */
export interface Share {
  turn: number
  spent: number
  /** Time of its last message; `performance.now()`. */
  at: number
}

export const newShare = (): Share => ({ turn: 0, spent: 0, at: Number.NEGATIVE_INFINITY })

/** Deferred work: works for about `ms` milliseconds and returns true while some is left. */
export type Late = (ms: number) => boolean

/**
 * Shares the event loop between senders. Messages within a sender's share are handled in the turn
 * in which they arrive. The rest is deferred and handled round-robin, a little per turn, so that no
 * sender waits long for another.
 */
export class FairScheduler {
  #turn = 0
  #isArmed = false
  #late: Late[] = []
  /** The two senders heard last. */
  #last = newShare()
  #before = newShare()

  /** Notes a message of a sender. Returns the milliseconds left of its share of this turn. */
  left(share: Share): number {
    this.#arm()
    if (share !== this.#last) [this.#before, this.#last] = [this.#last, share]
    share.at = performance.now()
    if (share.turn !== this.#turn) {
      share.turn = this.#turn
      share.spent = 0
    }
    return SHARE_MS - share.spent
  }

  /** True if another sender is busy. */
  hasOthers(share: Share): boolean {
    const other = share === this.#last ? this.#before : this.#last
    return performance.now() - other.at < BUSY_MS
  }

  later(work: Late): void {
    this.#late.push(work)
    this.#arm()
  }

  /** Resolves when no deferred work is left, at the latest after `most` milliseconds. */
  settled(most: number): Promise<void> {
    const end = performance.now() + most
    return new Promise((resolve) => {
      const look = (): void => {
        if (this.#late.length === 0 || performance.now() > end) resolve()
        else setImmediate(look)
      }
      look()
    })
  }

  #arm(): void {
    if (this.#isArmed) return
    this.#isArmed = true
    setImmediate(() => this.#next())
  }

  #next(): void {
    this.#isArmed = false
    this.#turn++
    const end = performance.now() + LATE_MS
    for (let left = this.#late.length; left > 0 && performance.now() < end; left--) {
      const work = this.#late.shift()!
      if (work(STEP_MS)) this.#late.push(work)
    }
    if (this.#late.length > 0) this.#arm()
  }
}

/**
 * Spreads the work of requests beside their commands, such as parsing a large body or writing a
 * large answer, over turns of the event loop.
 */
export class TurnBudget {
  #began: number | null = null
  /** Resolves when the last caller's turn has come. */
  #last: Promise<void> = Promise.resolve()
  #wake: (() => void) | null = null

  /**
   * Resolves when this turn has time left, in the order of the calls. Callers must await the
   * returned promise directly.
   */
  next(): Promise<void> {
    // The previous caller awaited this promise first, so its work is done by now.
    this.#last = this.#last.then(() => this.#left())
    return this.#last
  }

  #left(): Promise<void> | undefined {
    this.#begin()
    if (performance.now() - this.#began! < REQUESTS_MS) return undefined
    return new Promise((resolve) => {
      this.#wake = resolve
    })
  }

  #begin(): void {
    if (this.#began !== null) return
    this.#began = performance.now()
    setImmediate(() => {
      this.#began = null
      if (this.#wake === null) return
      this.#begin()
      this.#wake()
      this.#wake = null
    })
  }
}

/** One per process, as a process has one event loop. */
export const requestBudget = new TurnBudget()
