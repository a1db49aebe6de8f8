import { BUILD_DELAY_MS } from '../../config/limits.ts'

/**
 * The time from a room's first read of the log until its document is built. A newcomer needs only the stored bytes, and
 * gets them before the document takes the processor; frames that need the document wait for it.
 */
export class Loading {
  #early: (() => void)[] | null = []
  /** Lets the document be built now. */
  readonly wake: () => void
  readonly #awake: Promise<void>

  constructor() {
    let wake = (): void => {}
    this.#awake = new Promise<void>((resolve) => {
      wake = resolve
    })
    this.wake = wake
  }

  /** The document is built. */
  get isDone(): boolean {
    return this.#early === null
  }

  /** Resolves when something needs the document, at the latest after BUILD_DELAY_MS. */
  async untilNeeded(): Promise<void> {
    const backstop = setTimeout(this.wake, BUILD_DELAY_MS)
    await this.#awake
    clearTimeout(backstop)
  }

  /** Keeps `receive` until the document is built; returns how many wait. Only before that. */
  postpone(receive: () => void): number {
    return this.#early!.push(receive)
  }

  /** The document is built; returns what was postponed, in order. */
  done(): readonly (() => void)[] {
    const early = this.#early ?? []
    this.#early = null
    return early
  }
}
