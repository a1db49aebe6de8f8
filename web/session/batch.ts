/** A hidden tab draws no frames: updates wait this long at most (milliseconds). */
const HIDDEN_MS = 100

/** True for the message of a Yjs update: sync, update. */
const isUpdate = ({ data }: MessageEvent): boolean => {
  const [type, kind] = new Uint8Array(data as ArrayBuffer, 0, 2)
  return type === 0 && kind === 2
}

/**
 * Hands the updates that arrive between two frames over by one `together`: of 600 edits per second the editor draws no
 * more than frames. Other messages come in their place.
 */
export class Batch {
  readonly #together: (run: () => void) => void
  readonly #deliver: (event: MessageEvent) => void
  readonly #updates: MessageEvent[] = []

  constructor(together: (run: () => void) => void, deliver: (event: MessageEvent) => void) {
    this.#together = together
    this.#deliver = deliver
  }

  take(event: MessageEvent): void {
    if (!isUpdate(event)) {
      this.handOver()
      this.#deliver(event)
    } else if (this.#updates.push(event) === 1) {
      const handOver = () => this.handOver()
      requestAnimationFrame(handOver)
      setTimeout(handOver, HIDDEN_MS)
    }
  }

  handOver(): void {
    const updates = this.#updates.splice(0)
    if (updates.length === 0) return
    this.#together(() => {
      for (const event of updates) this.#deliver(event)
    })
  }
}
