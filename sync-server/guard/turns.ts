/** What one sender's messages may take in a turn of the event loop as they come (milliseconds). */
const SHARE_MS = 1
/** What all that is put off may take in a turn (milliseconds) … */
const LATE_MS = 1
/** … and one of it, before it is the next one's turn. */
const STEP_MS = 0.5

/** One sender's part of this turn, over all of its connections. */
export interface Share {
  turn: number
  spent: number
}

/** Work that was put off: does some of it for so long (milliseconds); false: that was all. */
export type Late = (ms: number) => boolean

/**
 * Turns of the event loop. Who sends little is heard in the turn in which it comes; what those send who send much waits in
 * a queue of which each turn takes a little: so the others never wait for long.
 */
export class Turns {
  #turn = 0
  #isArmed = false
  #late: Late[] = []

  /** How much of this turn is left to a sender (milliseconds). */
  left(share: Share): number {
    this.#arm()
    if (share.turn !== this.#turn) {
      share.turn = this.#turn
      share.spent = 0
    }
    return SHARE_MS - share.spent
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
