import type { HighWaterMark } from './integrity/high-water-mark.ts'
import type { Op } from './integrity/level-keys.ts'
import type { Db } from './integrity/open.ts'

interface Waiting {
  ops: Op[]
  resolve: () => void
  reject: (error: Error) => void
}

/**
 * Writes to LevelDB with group commit: one fsynced batch is in flight at a time, and all writes that arrive meanwhile form
 * the next. After a failed write all writes are rejected until `resume`.
 */
export class GroupCommit {
  readonly #db: Db
  readonly #highWaterMark: HighWaterMark
  readonly #onFailed: (error: Error) => void
  #queue: Waiting[] = []
  #flight: Promise<void> | null = null
  #failure: Error | null = null

  /** `onFailed` is called once when a write fails, before the waiting callers are rejected; again after `resume`. */
  constructor(db: Db, highWaterMark: HighWaterMark, onFailed: (error: Error) => void) {
    this.#db = db
    this.#highWaterMark = highWaterMark
    this.#onFailed = onFailed
  }

  /** The error of the failed write; null if all writes succeeded. */
  get failure(): Error | null {
    return this.#failure
  }

  /** Rejects all further writes with `error`, or with the earlier failure if there is one; returns that error. */
  fail(error: Error): Error {
    if (this.#failure === null) {
      this.#failure = error
      this.#onFailed(error)
    }
    return this.#failure
  }

  /** Accepts writes again after a failure. */
  resume(): void {
    this.#failure = null
  }

  /** Resolves when no batch is in flight. */
  async settled(): Promise<void> {
    await this.#flight
  }

  /** Stores `ops` atomically and durably. */
  put(ops: Op[]): Promise<void> {
    if (this.#failure !== null) return Promise.reject(this.#failure)
    return new Promise((resolve, reject) => {
      this.#queue.push({ ops, resolve, reject })
      this.#flight ??= this.#commit()
    })
  }

  async #commit(): Promise<void> {
    while (this.#queue.length > 0) {
      const batch = this.#queue
      this.#queue = []
      try {
        if (this.#failure !== null) throw this.#failure
        const ops = batch.flatMap(({ ops }) => ops)
        await this.#write(ops)
        const newest = ops.findLast(({ key }) => key.startsWith('u:'))
        if (newest !== undefined) this.#highWaterMark.note(newest.key)
        for (const { resolve } of batch) resolve()
      } catch (error) {
        // LevelDB is in an unknown state after a failed write, so no further write may be
        // acknowledged.
        const failure = this.fail(error as Error)
        for (const { reject } of batch) reject(failure)
      }
    }
    this.#flight = null
  }

  /** A single put is the common case, and costs the main thread half as much as a batch. */
  #write(ops: Op[]): Promise<void> {
    const [only] = ops
    if (ops.length === 1 && only?.type === 'put') {
      return this.#db.put(only.key, only.value, { sync: true })
    }
    return this.#db.batch(ops, { sync: true })
  }
}
