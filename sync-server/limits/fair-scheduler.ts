/** What one sender's messages may take in a turn of the event loop as they come (milliseconds). */
const SHARE_MS = 1
/** What all that is put off may take in a turn (milliseconds) … */
const LATE_MS = 1
/** … and one of it, before it is the next one's turn. */
const STEP_MS = 0.5

/** Who was heard within so long is busy (milliseconds). */
const BUSY_MS = 1_000

/** What requests may take in a turn before the next one waits for another (milliseconds). */
const REQUESTS_MS = 4

/** One sender's part of this turn, over all of its connections. */
export interface Share {
  turn: number
  spent: number
  /** When it was last heard (milliseconds). */
  at: number
}

export const newShare = (): Share => ({ turn: 0, spent: 0, at: Number.NEGATIVE_INFINITY })

/** Work that was put off: does some of it for so long (milliseconds); false: that was all. */
export type Late = (ms: number) => boolean

/**
 * FairScheduler of the event loop. Who sends little is heard in the turn in which it comes; what those send who send much waits in
 * a queue of which each turn takes a little: so the others never wait for long.
 */
export class FairScheduler {
  #turn = 0
  #isArmed = false
  #late: Late[] = []
  /** Who was heard last, and who before. */
  #last = newShare()
  #before = newShare()

  /** A sender is heard; how much of this turn is left to it (milliseconds). */
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

  /** Whether others than this sender are busy. */
  hasOthers(share: Share): boolean {
    const other = share === this.#last ? this.#before : this.#last
    return performance.now() - other.at < BUSY_MS
  }

  later(work: Late): void {
    this.#late.push(work)
    this.#arm()
  }

  /** Resolves when nothing is put off any more, or after so long (milliseconds). */
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
 * FairScheduler for what requests take beside their commands: reading a large body, writing a large answer. All that is ready at
 * once would be done in one turn of the event loop; here it is a little in each.
 */
export class Breath {
  #began: number | null = null
  /** Of the last who asked. */
  #last: Promise<void> = Promise.resolve()
  #wake: (() => void) | null = null

  /** Resolves when there is time for something in this turn, in the order of those who ask: await it itself. */
  next(): Promise<void> {
    // What the one before does, who awaited this first, has been done by then.
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

/** Of this process, which has one event loop. */
export const breath = new Breath()
