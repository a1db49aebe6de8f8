import { IDLE_ROOM_MS } from '../../config/limits.ts'

/** Calls `onIdle` once nobody has been connected for IDLE_ROOM_MS. */
export class IdleWatch {
  readonly #onIdle: () => Promise<void>
  readonly #fail: (error: Error) => void
  #timer: NodeJS.Timeout | null = null
  #isClosed = false

  constructor(onIdle: () => Promise<void>, fail: (error: Error) => void) {
    this.#onIdle = onIdle
    this.#fail = fail
  }

  /** Begins to count, from 0 where it counts already. */
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
