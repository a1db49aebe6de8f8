import type { StoreAddress } from '../../config/store-address.ts'
import { Unknown } from '../integrity/db.ts'
import { Session } from './session.ts'

/** Between two signs of life (milliseconds). */
export const BEAT_MS = 1_000
/** Without an answer to a beat for this long the server answers nobody (milliseconds). */
export const SILENT_MS = 4_000
/** A node may read for this long after it sent a beat that was answered (milliseconds). */
export const LEASE_MS = SILENT_MS

export interface BeatsEnv<T> {
  address: StoreAddress
  /** Sends the sign of life. */
  ask: (session: Session, ms: number) => Promise<T>
  /** Takes the answer to what was sent at that time. Returns an error if this process has lost the database. */
  answered: (answer: T, sentAt: number) => Error | null
  /** Called once, after which the beats have ended: with that error, or Unknown if the database does not answer. */
  lost: (error: Error) => void
  /** Milliseconds, monotonic. */
  clock: () => number
}

/** Signs of life, each second, over a connection of their own. */
export class Beats<T> {
  readonly #env: BeatsEnv<T>
  #session: Session | null = null
  #timer: NodeJS.Timeout | null = null
  #answeredAt: number

  constructor(env: BeatsEnv<T>) {
    this.#env = env
    this.#answeredAt = env.clock()
    this.#next()
  }

  #next(): void {
    this.#timer = setTimeout(() => void this.#beat(), BEAT_MS)
    this.#timer.unref()
  }

  async #beat(): Promise<void> {
    const { answered, lost, clock } = this.#env
    const sentAt = clock()
    try {
      const answer = await this.#ask()
      if (this.#timer === null) return
      const error = answered(answer, sentAt)
      if (error !== null) return lost(error)
      this.#answeredAt = sentAt
    } catch (cause) {
      if (this.#timer === null) return
      if (clock() - this.#answeredAt > SILENT_MS) {
        return lost(new Unknown('the database does not answer', { cause }))
      }
    }
    this.#next()
  }

  async #ask(): Promise<T> {
    const session = this.#session ?? (await Session.open(this.#env.address, BEAT_MS))
    this.#session = session
    // Stopped while it connected.
    if (this.#timer === null) session.close()
    try {
      return await this.#env.ask(session, BEAT_MS)
    } catch (error) {
      session.close()
      this.#session = null
      throw error
    }
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    this.#session?.close()
    this.#session = null
  }
}
