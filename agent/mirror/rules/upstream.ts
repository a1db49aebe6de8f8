import { setTimeout as sleep } from 'node:timers/promises'
import type { Replica } from '../../../client/replica/replica.ts'
import { isPristine } from '../../../lib/yjs/internals.ts'
import type { MirrorConnection } from './options.ts'

/** Timeout for a confirmation by the server, and the delay until the next request (ms). */
const SERVER_MS = 15_000
const RETRY_MS = 1_000
/** Time in which a starting link connects (ms). */
const CONNECT_MS = 10

/**
 * Text sent before the server must confirm it; at most twice as much is in flight (UTF-16 units).
 */
const WINDOW_UNITS = 2 * 1024 * 1024

/** The server, as a mirror needs it, until `ended`. */
export class Upstream {
  readonly #session: () => MirrorConnection | null
  readonly #replica: Replica
  readonly #ended: AbortSignal
  /** Sent since the server was last asked to confirm (UTF-16 units). */
  #units = 0
  #confirming: Promise<void> = Promise.resolve()

  constructor(session: () => MirrorConnection | null, replica: Replica, ended: AbortSignal) {
    this.#session = session
    this.#replica = replica
    this.#ended = ended
  }

  /** Waits for the state of others: a file created twice contains both texts. */
  async synced(): Promise<void> {
    while (!this.#ended.aborted) {
      const open = this.#session()
      try {
        if (open !== null) return await open.synced(SERVER_MS)
      } catch {
        if (!isPristine(this.#replica.doc)) return // they shared something before; this merges later
      }
      await this.#sleep(open === null ? CONNECT_MS : RETRY_MS)
    }
  }

  /** True if the server has everything on disk. */
  async isConfirmed(): Promise<boolean> {
    try {
      const session = this.#session()
      await session?.barrier(SERVER_MS)
      return session !== null
    } catch {
      return false
    }
  }

  /** Waits until the server has everything, and until it is reachable again if necessary. */
  async confirm(): Promise<void> {
    while (!this.#ended.aborted && !(await this.isConfirmed())) await this.#sleep(RETRY_MS)
  }

  /** Counts text that was sent (UTF-16 units); waits where the server is a window behind. */
  async pace(units: number): Promise<void> {
    this.#units += units
    if (this.#units <= WINDOW_UNITS) return
    await this.#confirming
    this.#units = 0
    this.#confirming = this.confirm()
  }

  async #sleep(ms: number): Promise<void> {
    await sleep(ms, null, { signal: this.#ended }).catch(() => {})
  }
}
