/** Has pages play: calls `tick` once per frame while one does. */
export class Player {
  #timer: NodeJS.Timeout | null = null
  #ms: number | null = null
  readonly #tick: () => void

  constructor(tick: () => void) {
    this.#tick = tick
  }

  /** Milliseconds between two frames from now on; null: nothing plays. */
  follow(ms: number | null): void {
    if (ms === this.#ms) return
    this.close()
    this.#ms = ms
    if (ms !== null) this.#timer = setInterval(this.#tick, ms)
  }

  close(): void {
    if (this.#timer !== null) clearInterval(this.#timer)
    this.#timer = null
    this.#ms = null
  }
}
