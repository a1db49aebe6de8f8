import {
  COMPACT_BYTES,
  COMPACT_UPDATES,
  QUIET_BYTES_PER_UPDATE,
  QUIET_UPDATES,
} from '../../config/limits.ts'
import type { Stored } from '../../storage/update-log.ts'

/**
 * The pause between two checkpoints is at least this many times the time that the last one took.
 */
const REST = 20

/** Folds a room's log into its checkpoint when it is due, one checkpoint at a time. */
export class Checkpoints {
  readonly #store: (checkpoint: Uint8Array) => Promise<void>
  readonly #mostBytes: number
  #tailUpdates = 0
  #tailBytes = 0
  #checkpointBytes = 0
  /**
   * The earliest time of the next checkpoint (`performance.now`), so that checkpoints do not slow
   * down a busy room.
   */
  #restUntil = 0
  #writing: Promise<void> | null = null
  /** Updates after the checkpoint at the last beat (count). */
  #atBeat = 0
  #isQuiet = false

  /**
   * `store` replaces the records that a checkpoint covers. `mostBytes`: the most bytes of the
   * stored document.
   */
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

  /** True if the stored document has reached its most bytes. */
  get isFull(): boolean {
    return this.#checkpointBytes + this.#tailBytes > this.#mostBytes
  }

  /**
   * Due by count, because a newcomer applies each update of the tail; by bytes, because they are
   * sent. Deletions free space only in the next checkpoint, so a full document is due after any
   * change.
   */
  get isDue(): boolean {
    if (this.#writing !== null || performance.now() < this.#restUntil) return false
    if ((this.isFull && !this.upToDate) || this.#isQuiet) return true
    const bytes = Math.max(COMPACT_BYTES, this.#checkpointBytes / 2)
    return this.#tailUpdates >= COMPACT_UPDATES || this.#tailBytes >= bytes
  }

  /** Call now and then: a tail that does not grow any more is folded, so that a newcomer after a crash applies few. Returns `isDue`. */
  beat(): boolean {
    // A large checkpoint is not written again for a few updates.
    const enough = Math.max(QUIET_UPDATES, this.#checkpointBytes / QUIET_BYTES_PER_UPDATE)
    this.#isQuiet = this.#tailUpdates >= enough && this.#tailUpdates === this.#atBeat
    this.#atBeat = this.#tailUpdates
    return this.isDue
  }

  get upToDate(): boolean {
    return this.#tailUpdates === 0
  }

  /**
   * Writes a checkpoint, unless one is being written. `encode` returns the document; it is called
   * synchronously.
   */
  write(encode: () => Uint8Array): Promise<void> {
    if (this.#writing !== null) return this.#writing
    const started = performance.now()
    const checkpoint = encode()
    this.#isQuiet = false
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

  /** Resolves when no checkpoint is being written. */
  async settled(): Promise<void> {
    await this.#writing?.catch(() => {})
  }
}
