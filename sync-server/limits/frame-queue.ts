import type { FairScheduler, Share } from './fair-scheduler.ts'

/** A socket whose reading can be paused. */
export interface Pausable {
  pause: () => void
  resume: () => void
  once: (event: 'close', listener: () => void) => unknown
}

/**
 * Work over several turns. It yields 'wait' if it can do no more in this turn, or a number for
 * milliseconds worked for it elsewhere.
 */
type Work = Iterator<unknown>

/** Handles a message. Returns the work that is left, or null. */
export type Take = (message: Buffer) => Work | null
/**
 * Returns the milliseconds to wait after `ms` milliseconds of work on a message or a part of one.
 * `message` is null for all parts but the first.
 */
export type Pace = (message: Buffer | null, ms: number, isDone: boolean) => number

export interface Sender {
  turns: FairScheduler
  /** The sender's share of each turn. */
  share: Share
  /** Milliseconds to wait before the first message, owed by earlier connections of the sender. */
  owed: number
  pace: Pace
  /** Called with the bytes of each message that is done, which are no longer held. */
  taken: (bytes: number) => void
}

/**
 * Handles the messages of one connection in order. A socket hands over thousands of small messages
 * at once, and a large one can take seconds: work beyond the sender's share of a turn waits for
 * later turns, and longer if the sender is too fast. Meanwhile the socket is paused, so the queue
 * holds at most what one read delivered.
 */
export class FrameQueue {
  readonly #source: Pausable
  readonly #turns: FairScheduler
  readonly #share: Share
  readonly #take: Take
  readonly #pace: Pace
  readonly #taken: (bytes: number) => void
  #waiting: Buffer[] = []
  #work: Work | null = null
  /** Milliseconds of work since the last call of `pace`. */
  #took = 0
  #isLate = false
  #isPaused = false
  #resting: NodeJS.Timeout | null = null

  constructor(source: Pausable, take: Take, { turns, share, owed, pace, taken }: Sender) {
    this.#source = source
    this.#turns = turns
    this.#share = share
    this.#take = take
    this.#pace = pace
    this.#taken = taken
    source.once('close', () => {
      this.#waiting = []
      this.#work?.return?.()
      this.#work = null
      if (this.#resting !== null) clearTimeout(this.#resting)
    })
    if (owed === 0) return
    this.#rest(owed)
    this.#pauseOrResume()
  }

  push(message: Buffer): void {
    this.#waiting.push(message)
    if (this.#isLate || this.#resting !== null) return
    if (this.#goOn(this.#turns.left(this.#share))) {
      this.#isLate = true
      this.#turns.later((ms) => this.#later(ms))
    }
    this.#pauseOrResume()
  }

  #later(ms: number): boolean {
    this.#isLate = this.#goOn(ms)
    this.#pauseOrResume()
    return this.#isLate
  }

  /**
   * Handles waiting messages for about `ms` milliseconds. Returns true if another turn must
   * continue.
   */
  #goOn(ms: number): boolean {
    const began = performance.now()
    let now = began
    let mustWait = false
    while (!mustWait && now - began < ms && this.#waiting.length > 0) {
      const message = this.#waiting[0]!
      const isNew = this.#work === null
      if (this.#work === null) this.#work = this.#take(message)
      else {
        const { done, value } = this.#work.next()
        if (done) this.#work = null
        else if (typeof value === 'number') this.#took += value
        else mustWait = value === 'wait'
      }
      const before = now
      now = performance.now()
      this.#share.spent += now - before
      this.#took += now - before
      const isDone = this.#work === null
      if (mustWait) continue
      // The queue is empty if the connection closed meanwhile.
      if (isDone && this.#waiting.shift() !== undefined) this.#taken(message.length)
      const wait = this.#pace(isNew ? message : null, this.#took, isDone)
      this.#took = 0
      if (wait > 0) {
        this.#rest(wait)
        return false
      }
    }
    return this.#waiting.length > 0
  }

  #rest(ms: number): void {
    this.#resting = setTimeout(() => {
      this.#resting = null
      this.#isLate = this.#waiting.length > 0
      if (this.#isLate) this.#turns.later((ms) => this.#later(ms))
      this.#pauseOrResume()
    }, ms)
  }

  #pauseOrResume(): void {
    const mustWait = this.#resting !== null || this.#waiting.length > 0
    if (mustWait === this.#isPaused) return
    this.#isPaused = mustWait
    if (mustWait) this.#source.pause()
    else this.#source.resume()
  }
}
