import { BUILD_DELAY_MS } from '../../config/limits.ts'

/**
 * The time from a room's first read of the log until its document is built. A newcomer needs only the stored bytes, and
 * gets them before the document takes the processor; frames that need the document wait for it.
 */
export class Loading {
  #early: (() => void)[] | null = []
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

  /** Resolves when something needs the document, at the latest after BUILD_DELAY_MS. */
  async untilNeeded(): Promise<void> {
    const backstop = setTimeout(this.wake, BUILD_DELAY_MS)
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
