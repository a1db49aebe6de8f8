import { BUILD_DELAY_MS, BUILD_DELAY_MS_PER_MIB, MOST_BUILD_DELAY_MS } from '../../config/limits.ts'

const MIB = 1024 * 1024
/** A smaller document is built as soon as a newcomer has its bytes. */
const LARGE_BYTES = MIB / 4

/**
 * The time from a room's first read of the log until its document is built. A newcomer needs only the stored bytes, and
 * gets them before the document takes the processor; frames that need the document wait for it.
 */
export class Loading {
  #early: (() => void)[] | null = []
  /** Bytes of the stored document; null: not read yet. */
  #bytes: number | null = null
  /** Starts building the document now. */
  readonly wake: () => void
  readonly #awake: Promise<void>

  constructor() {
    let wake = (): void => {}
    this.#awake = new Promise<void>((resolve) => {
      wake = resolve
    })
    this.wake = wake
  }

  /** True once the document is built. */
  get isDone(): boolean {
    return this.#early === null
  }

  /** A newcomer has the stored bytes. While it builds a large document from them, this process does not. */
  served(): void {
    if (this.#bytes !== null && this.#bytes < LARGE_BYTES) this.wake()
  }

  /** Resolves when something needs the document of `bytes`, at the latest after a while that grows with it. */
  async untilNeeded(bytes: number): Promise<void> {
    this.#bytes = bytes
    const later = Math.max(BUILD_DELAY_MS, (bytes / MIB) * BUILD_DELAY_MS_PER_MIB)
    const backstop = setTimeout(this.wake, Math.min(later, MOST_BUILD_DELAY_MS))
    await this.#awake
    clearTimeout(backstop)
  }

  /**
   * Queues `receive` until the document is built; returns the count of queued ones. Call only
   * before that.
   */
  postpone(receive: () => void): number {
    return this.#early!.push(receive)
  }

  /** Notes that the document is built. Returns the queued work, in order. */
  done(): readonly (() => void)[] {
    const early = this.#early ?? []
    this.#early = null
    return early
  }
}
