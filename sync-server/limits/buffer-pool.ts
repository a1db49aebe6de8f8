/** The most idle buffers kept for the next large message (count). */
const KEPT = 2
/** Idle buffers are dropped this long after the last message (milliseconds). */
const KEPT_MS = 10_000
/**
 * Sizes are rounded up to a multiple of this (bytes), so that a slightly longer message reuses the
 * buffer.
 */
const ROUND = 1024 * 1024

/**
 * Reuses the memory of large messages. V8 counts external memory like its own heap: a new buffer
 * per large message would trigger a full garbage collection, which stops the process for 5 ms or
 * more.
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

  /** Returns a buffer of `size` bytes with arbitrary content. */
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

  /**
   * Returns a buffer to the pool; the caller must not use it afterwards. Ignores buffers of other
   * origin. A taken buffer need not be returned.
   */
  give({ buffer }: Uint8Array): void {
    if (!this.#lent.delete(buffer)) return
    this.#forget.refresh()
    this.#idle.push(Buffer.from(buffer))
    this.#idle.sort((a, b) => a.length - b.length)
    if (this.#idle.length > KEPT) this.#idle.shift()
  }
}
