import { IDLE_ROOM_MS } from '../../config/limits.ts'

/** Calls `onIdle` after IDLE_ROOM_MS without a connection and without use. */
export class IdleWatch {
  readonly #onIdle: () => Promise<void>
  readonly #fail: (error: Error) => void
  #timer: NodeJS.Timeout | null = null
  #isClosed = false
  /** The last use (`performance.now`). */
  #usedAt = Number.NEGATIVE_INFINITY

  constructor(onIdle: () => Promise<void>, fail: (error: Error) => void) {
    this.#onIdle = onIdle
    this.#fail = fail
  }

  /** Starts the timer, or restarts it. */
  start(ms = IDLE_ROOM_MS): void {
    this.stop()
    if (this.#isClosed) return
    this.#timer = setTimeout(() => this.#look(), ms)
    this.#timer.unref()
  }

  /** Notes a use without a connection, as of a request. */
  used(): void {
    this.#usedAt = performance.now()
  }

  #look(): void {
    const rest = this.#usedAt + IDLE_ROOM_MS - performance.now()
    if (rest > 0) this.start(rest)
    else this.#onIdle().catch(this.#fail)
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
  }

  close(): void {
    this.#isClosed = true
    this.stop()
  }
}
