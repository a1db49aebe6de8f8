import type { FairScheduler, Share } from './fair-scheduler.ts'

/** A socket that is not read from for a while. */
export interface Pausable {
  pause: () => void
  resume: () => void
  once: (event: 'close', listener: () => void) => unknown
}

/** What takes more than one turn; 'wait': it can do nothing more in this one; a number: so long was worked for it elsewhere (ms). */
type Work = Iterator<unknown>

/** Takes in a message; returns what is left to be done of it, or null. */
export type Take = (message: Buffer) => Work | null
/**
 * After a message, or a part of one, that took so long (milliseconds): in how many nothing more is to be taken in. `message`:
 * null where a part of it was paced before.
 */
export type Pace = (message: Buffer | null, ms: number, isDone: boolean) => number

export interface Sender {
  turns: FairScheduler
  /** Of the turns. */
  share: Share
  /** From earlier connections (milliseconds): nothing is taken in before. */
  owed: number
  pace: Pace
  /** So many bytes are held no more: they are taken in. */
  taken: (bytes: number) => void
}

/**
 * The messages of one connection, in their order. A socket hands over thousands of small ones at a time, and a large one can
 * take seconds: what is more than the sender's share of a turn waits for later ones, and where it comes too fast, longer.
 * Meanwhile the socket is not read from, so that no more waits than came in one go.
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
  /** How long what is being taken in has taken so far (milliseconds). */
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

  /** Takes in what waits for so long (milliseconds); returns whether another turn is to go on with it. */
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
      // None is left where the connection was closed meanwhile.
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
