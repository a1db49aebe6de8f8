import { IDLE_ROOM_MS } from '../../config/limits.ts'

/** Calls `onIdle` after IDLE_ROOM_MS without a connection. */
export class IdleWatch {
  readonly #onIdle: () => Promise<void>
  readonly #fail: (error: Error) => void
  #timer: NodeJS.Timeout | null = null
  #isClosed = false

  constructor(onIdle: () => Promise<void>, fail: (error: Error) => void) {
    this.#onIdle = onIdle
    this.#fail = fail
  }

  /** Starts the timer, or restarts it. */
  start(): void {
    this.stop()
    if (this.#isClosed) return
    this.#timer = setTimeout(() => void this.#onIdle().catch(this.#fail), IDLE_ROOM_MS)
    this.#timer.unref()
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
  }

  close(): void {
    this.#isClosed = true
    this.stop()
  }
}
