import { setTimeout as sleep } from 'node:timers/promises'
import type { Replica } from '../../client/replica/replica.ts'

/** The longest wait of others' operations without messages for a commit, in milliseconds: not an fsync per keystroke. */
const LAZY_COMMIT_MS = 1_000
/** The pause between two looks is this many times as long as a look, and at most LONGEST_REST_MS. */
const REST = 4
const LONGEST_REST_MS = 100
/** The pause after an archive could not be reached, in milliseconds. */
const RETRY_MS = 1_000

/** The workspace of a filler. */
export interface Filled {
  replica: Replica
  /** Stages new messages; false: some are in an archive that cannot be reached now. */
  receive: () => Promise<boolean>
  /** Messages were received. */
  received: () => void
  isConnected: () => boolean
  /** A name for the log. */
  name: string
}

/** Keeps an inbox filled: stores messages as they arrive, all that came during one commit together. */
export class InboxFiller {
  readonly #filled: Filled
  #hasNews = false
  #isReceiving = false
  #lazy: NodeJS.Timeout | undefined

  constructor(filled: Filled) {
    this.#filled = filled
  }

  /** Operations have arrived. */
  readonly news = (): void => {
    this.#hasNews = true
    if (this.#isReceiving) return
    this.#isReceiving = true
    void this.#receive()
  }

  stop(): void {
    clearTimeout(this.#lazy)
  }

  async #receive(): Promise<void> {
    const { replica, receive, received, isConnected, name } = this.#filled
    try {
      while (this.#hasNews && !replica.isClosed) {
        this.#hasNews = false
        const began = performance.now()
        const isComplete = await receive()
        received()
        if (replica.isUrgent) await replica.commit()
        else this.#commitLater()
        // A look costs in proportion to the team: in a storm of updates most of the time is for other work.
        const rest = Math.min(LONGEST_REST_MS, REST * (performance.now() - began))
        await sleep(isComplete ? rest : RETRY_MS, undefined, { ref: false })
        // Without a connection the next one looks again.
        if (!isComplete && isConnected()) this.#hasNews = true
      }
    } catch (error) {
      console.error(`${name}: new messages were not stored: ${(error as Error).message}`)
    } finally {
      this.#isReceiving = false
    }
  }

  /** Others' operations are on the server's disk: they are stored later, together. */
  #commitLater(): void {
    const { replica } = this.#filled
    this.#lazy ??= setTimeout(() => {
      this.#lazy = undefined
      if (!replica.isClosed) replica.commit().catch(() => {}) // the next one fails, too, and reports it
    }, LAZY_COMMIT_MS)
  }
}
