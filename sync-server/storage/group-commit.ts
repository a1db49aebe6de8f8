import { Conflict, isNew, type Store } from './integrity/db.ts'
import type { Op } from './integrity/level-keys.ts'

interface Waiting {
  ops: Op[]
  resolve: () => void
  reject: (error: Error) => void
}

/**
 * Writes to a store with group commit: one durable batch is in flight at a time, and all writes that arrive meanwhile form
 * the next. After a failed write all writes are rejected until `resume`; a Conflict rejects only the write that has it.
 */
export class GroupCommit {
  readonly #store: Store
  readonly #onFailed: (error: Error) => void
  #queue: Waiting[] = []
  #flight: Promise<void> | null = null
  #failure: Error | null = null

  /** `onFailed` is called once when a write fails, before the waiting callers are rejected; again after `resume`. */
  constructor(store: Store, onFailed: (error: Error) => void) {
    this.#store = store
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
      if (await this.#tryAll(batch)) continue
      // Nothing of the batch is stored: each write is stored by itself, and those at fault are rejected.
      const refused = new Set<string>()
      const after = this.#queue
      this.#queue = []
      for (const one of [...batch, ...after]) await this.#separate(one, refused)
    }
    this.#flight = null
  }

  /** Stores a write by itself, unless it goes on with a log in `refused`; adds its logs there after a Conflict. */
  async #separate(one: Waiting, refused: Set<string>): Promise<void> {
    const logs = one.ops.flatMap(({ key }) =>
      isNew(key) ? key.slice(0, key.lastIndexOf(':')) : [],
    )
    const follows = logs.some((log) => refused.has(log))
    if (!follows && (await this.#tryAll([one]))) return
    one.reject(new Conflict())
    for (const log of logs) refused.add(log)
  }

  /** False if a Conflict kept all of it from being stored; otherwise everybody has an answer. */
  async #tryAll(batch: readonly Waiting[]): Promise<boolean> {
    try {
      if (this.#failure !== null) throw this.#failure
      const ops = batch.flatMap(({ ops }) => ops)
      await this.#write(ops)
      const newest = ops.findLast(({ key }) => key.startsWith('u:'))
      if (newest !== undefined) this.#store.mark.note(newest.key)
      for (const { resolve } of batch) resolve()
    } catch (error) {
      if (error instanceof Conflict && this.#failure === null) return false
      // The store is in an unknown state after a failed write, so no further write may be
      // acknowledged.
      const failure = this.fail(error as Error)
      for (const { reject } of batch) reject(failure)
    }
    return true
  }

  /** A single put is the common case, and costs the main thread half as much as a batch. */
  #write(ops: Op[]): Promise<void> {
    const [only] = ops
    if (ops.length === 1 && only?.type === 'put') {
      return this.#store.db.put(only.key, only.value, { sync: true })
    }
    return this.#store.db.batch(ops, { sync: true })
  }
}
