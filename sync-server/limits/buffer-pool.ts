/** Buffers that are kept for the next large message (count) … */
const KEPT = 2
/** … and for how long after the last one (milliseconds). */
const KEPT_MS = 10_000
/** Sizes are rounded up to so many bytes, so that a message a little longer than the last one fits. */
const ROUND = 1024 * 1024

/**
 * Memory for large messages, which is used again: for each that has memory of its own V8 collects all garbage, as it counts
 * bytes outside of its heap like those in it, and that holds everyone up for 5 ms and more.
 */
export class BufferPool {
  #idle: Buffer[] = []
  readonly #lent = new WeakSet<ArrayBufferLike>()
  readonly #forget: NodeJS.Timeout

  constructor() {
    this.#forget = setTimeout(() => {
      this.#idle = []
    }, KEPT_MS).unref()
  }

  /** So many bytes, with anything in them. */
  take(size: number): Buffer {
    this.#forget.refresh()
    const at = this.#idle.findIndex(({ length }) => length >= size)
    const buffer =
      at === -1
        ? Buffer.allocUnsafeSlow(Math.ceil(size / ROUND) * ROUND)
        : this.#idle.splice(at, 1)[0]!
    this.#lent.add(buffer.buffer)
    return buffer.subarray(0, size)
  }

  /** Nobody looks at these bytes any more, which may be any. What was taken need not come back. */
  give({ buffer }: Uint8Array): void {
    if (!this.#lent.delete(buffer)) return
    this.#forget.refresh()
    this.#idle.push(Buffer.from(buffer))
    this.#idle.sort((a, b) => a.length - b.length)
    if (this.#idle.length > KEPT) this.#idle.shift()
  }
}
