import type { Readable } from 'node:stream'
import { ClawError } from '../../../protocol/errors.ts'
import { STALLED_UPLOAD_MS } from '../../config/limits.ts'

/** A request that sends the bytes of an upload. Another request may cut it once it is stalled. */
export class Transfer {
  readonly ended: Promise<void>
  readonly #body: Readable
  readonly #now: () => number
  #lastByteAt: number
  #isComplete = false
  #isCut = false
  #end = () => {}

  constructor(body: Readable, now: () => number) {
    this.#body = body
    this.#now = now
    this.#lastByteAt = now()
    this.ended = new Promise((resolve) => {
      this.#end = resolve
    })
  }

  /** True once all bytes arrived. */
  get isComplete(): boolean {
    return this.#isComplete
  }

  /** True if it waits for bytes and has received none for STALLED_UPLOAD_MS. */
  get isStalled(): boolean {
    return !this.#isComplete && this.#now() - this.#lastByteAt >= STALLED_UPLOAD_MS
  }

  noteBytes(): void {
    this.#lastByteAt = this.#now()
  }

  /** Notes that all bytes arrived; from here on no other request may cut it. */
  complete(): void {
    this.#isComplete = true
  }

  /** True if another request cut it, or its upload was dropped. */
  get isCut(): boolean {
    return this.#isCut
  }

  /** Ends the request if it still waits for bytes. */
  cut(): void {
    this.#isCut = true
    this.#body.destroy(new Error('another request goes on with this upload'))
  }

  end(): void {
    this.#end()
  }
}

/** The requests that send uploads now, by the upload's key. */
export class Transfers {
  readonly #now: () => number
  readonly #transfers = new Map<string, Transfer>()

  constructor(now: () => number) {
    this.#now = now
  }

  get(key: string): Transfer | undefined {
    return this.#transfers.get(key)
  }

  /** Runs `send` as the upload's only transfer; cuts a stalled one first. Throws `busy` if another is not stalled. */
  async run<T>(key: string, body: Readable, send: (transfer: Transfer) => Promise<T>): Promise<T> {
    for (let other = this.#transfers.get(key); other; other = this.#transfers.get(key)) {
      if (!other.isStalled) {
        throw new ClawError('busy', 'the same upload is under way', 'wait for it, or go on with it')
      }
      other.cut()
      await other.ended
    }
    const transfer = new Transfer(body, this.#now)
    this.#transfers.set(key, transfer)
    try {
      return await send(transfer)
    } finally {
      this.#transfers.delete(key)
      transfer.end()
    }
  }
}
