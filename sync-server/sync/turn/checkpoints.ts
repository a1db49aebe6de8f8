import { COMPACT_BYTES, COMPACT_UPDATES } from '../../config/limits.ts'
import type { Stored } from '../../storage/update-log.ts'

/** From one checkpoint to the next passes at least this many times as long as it took to encode and store. */
const REST = 20

/** Decides when a room's log is folded into its checkpoint, and does it, one at a time. */
export class Checkpoints {
  readonly #store: (checkpoint: Uint8Array) => Promise<void>
  readonly #mostBytes: number
  #tailUpdates = 0
  #tailBytes = 0
  #checkpointBytes = 0
  /** Before this (ms of `performance.now`) none is due, or they would take too much of a busy room's time. */
  #restUntil = 0
  #writing: Promise<void> | null = null

  /** `store` replaces the records that a checkpoint covers; `mostBytes`: how large the document may be as stored. */
  constructor(store: (checkpoint: Uint8Array) => Promise<void>, mostBytes: number) {
    this.#store = store
    this.#mostBytes = mostBytes
  }

  opened({ checkpoint, tail }: Stored): void {
    this.#checkpointBytes = checkpoint?.length ?? 0
    for (const update of tail) this.committed(1, update.length)
  }

  committed(updates: number, bytes: number): void {
    this.#tailUpdates += updates
    this.#tailBytes += bytes
  }

  /** The document has all the bytes that it may have on disk. */
  get isFull(): boolean {
    return this.#checkpointBytes + this.#tailBytes > this.#mostBytes
  }

  /**
   * By count, because a newcomer applies each update of the tail; by bytes, because it is sent them. Deletions free space
   * only in the next checkpoint: a full document is due for one after any change.
   */
  get isDue(): boolean {
    if (this.#writing !== null || performance.now() < this.#restUntil) return false
    if (this.isFull && !this.upToDate) return true
    const bytes = Math.max(COMPACT_BYTES, this.#checkpointBytes / 2)
    return this.#tailUpdates >= COMPACT_UPDATES || this.#tailBytes >= bytes
  }

  get upToDate(): boolean {
    return this.#tailUpdates === 0
  }

  /** `encode` gives the document; it is called at once, if no checkpoint is being written. */
  write(encode: () => Uint8Array): Promise<void> {
    if (this.#writing !== null) return this.#writing
    const started = performance.now()
    const checkpoint = encode()
    this.#tailUpdates = 0
    this.#tailBytes = 0
    this.#checkpointBytes = checkpoint.length
    this.#writing = this.#store(checkpoint).finally(() => {
      const ended = performance.now()
      this.#restUntil = ended + REST * (ended - started)
      this.#writing = null
    })
    return this.#writing
  }

  /** Resolves when none is being written. */
  async settled(): Promise<void> {
    await this.#writing?.catch(() => {})
  }
}
