import { Level } from 'level'
import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import type { Stored, UpdateLog } from './update-log.ts'

/**
 * Keys, all of them sorted text:
 *   `u:<workspace>:<seq>`   record: 1 (format), milliseconds since the epoch, count, update…
 *   `s:<workspace>`         checkpoint: 1 (format), seq, update
 *   `w:<workspace>`         the workspace exists
 */
const FORMAT = 1
/** Hex digits of 2^52, so that text order is number order. */
const SEQ_DIGITS = 13

type Db = Level<string, Uint8Array>
type Put = { type: 'put'; key: string; value: Uint8Array }

const recordKey = (workspace: string, seq: number): string =>
  `u:${workspace}:${seq.toString(16).padStart(SEQ_DIGITS, '0')}`
const seqOf = (key: string): number => Number.parseInt(key.slice(-SEQ_DIGITS), 16)

const encodeRecord = (at: number, updates: readonly Uint8Array[]): Uint8Array =>
  encoding.encode((encoder) => {
    encoding.writeVarUint(encoder, FORMAT)
    encoding.writeVarUint(encoder, at)
    encoding.writeVarUint(encoder, updates.length)
    for (const update of updates) encoding.writeVarUint8Array(encoder, update)
  })

const readFormat = (decoder: decoding.Decoder, what: string): void => {
  const format = decoding.readVarUint(decoder)
  if (format !== FORMAT) throw new Error(`${what} has format ${format}; this version reads 1`)
}

const readRecord = (value: Uint8Array, into: Uint8Array[]): void => {
  const decoder = decoding.createDecoder(value)
  readFormat(decoder, 'a log record')
  decoding.readVarUint(decoder)
  const count = decoding.readVarUint(decoder)
  for (let i = 0; i < count; i++) into.push(decoding.readVarUint8Array(decoder))
}

interface Waiting {
  op: Put
  resolve: () => void
  reject: (error: Error) => void
}

/**
 * The update log on LevelDB, with group commit: one fsync'd batch is in flight at a time, and whatever arrives
 * meanwhile, from any workspace, forms the next.
 */
export class LevelUpdateLog implements UpdateLog {
  readonly #db: Db
  readonly #now: () => number
  /** Next free position by workspace; filled on first use. */
  readonly #next = new Map<string, number>()
  readonly #opening = new Map<string, Promise<number>>()
  #queue: Waiting[] = []
  #flight: Promise<void> | null = null
  #failure: Error | null = null

  private constructor(db: Db, now: () => number) {
    this.#db = db
    this.#now = now
  }

  /** Opens or creates the database in `dir`. Rejects with LevelDB's error; `LEVEL_LOCKED` is its cause's code. */
  static async open(dir: string, now: () => number): Promise<LevelUpdateLog> {
    const db: Db = new Level(dir, { keyEncoding: 'utf8', valueEncoding: 'view' })
    await db.open()
    return new LevelUpdateLog(db, now)
  }

  async append(workspace: string, updates: readonly Uint8Array[]): Promise<number> {
    const value = encodeRecord(this.#now(), updates)
    let next = this.#next.get(workspace)
    if (next === undefined) {
      await this.#position(workspace)
      next = this.#next.get(workspace)!
    }
    this.#next.set(workspace, next + 1)
    await this.#put({ type: 'put', key: recordKey(workspace, next), value })
    return next
  }

  /** Finds the next free position, once a workspace, and notes that the workspace exists. */
  #position(workspace: string): Promise<number> {
    const opening = this.#opening.get(workspace)
    if (opening !== undefined) return opening
    const find = async (): Promise<number> => {
      const { seq } = await this.load(workspace)
      if (seq === 0) {
        await this.#put({ type: 'put', key: `w:${workspace}`, value: new Uint8Array([FORMAT]) })
      }
      this.#next.set(workspace, seq + 1)
      return seq + 1
    }
    const found = find()
    this.#opening.set(workspace, found)
    return found
  }

  #put(op: Put): Promise<void> {
    if (this.#failure !== null) return Promise.reject(this.#failure)
    return new Promise((resolve, reject) => {
      this.#queue.push({ op, resolve, reject })
      this.#flight ??= this.#commit()
    })
  }

  async #commit(): Promise<void> {
    while (this.#queue.length > 0) {
      const batch = this.#queue
      this.#queue = []
      try {
        if (this.#failure !== null) throw this.#failure
        await this.#db.batch(
          batch.map(({ op }) => op),
          { sync: true },
        )
        for (const { resolve } of batch) resolve()
      } catch (error) {
        // LevelDB is in an unknown state after a failed write: nothing may be acknowledged any more.
        this.#failure ??= error as Error
        for (const { reject } of batch) reject(this.#failure)
      }
    }
    this.#flight = null
  }

  async load(workspace: string): Promise<Stored> {
    const stored: Stored = { checkpoint: null, tail: [], seq: 0 }
    const snapshot = this.#db.snapshot()
    try {
      const value = await this.#db.get(`s:${workspace}`, { snapshot })
      if (value !== undefined) {
        const decoder = decoding.createDecoder(value)
        readFormat(decoder, 'a checkpoint')
        stored.seq = decoding.readVarUint(decoder)
        stored.checkpoint = decoding.readTailAsUint8Array(decoder)
      }
      const after = { gt: recordKey(workspace, stored.seq), lt: `u:${workspace};`, snapshot }
      for await (const [key, record] of this.#db.iterator(after)) {
        readRecord(record, stored.tail)
        stored.seq = seqOf(key)
      }
    } finally {
      await snapshot.close()
    }
    return stored
  }

  async compact(workspace: string, seq: number, checkpoint: Uint8Array): Promise<void> {
    const value = encoding.encode((encoder) => {
      encoding.writeVarUint(encoder, FORMAT)
      encoding.writeVarUint(encoder, seq)
      encoding.writeUint8Array(encoder, checkpoint)
    })
    await this.#put({ type: 'put', key: `s:${workspace}`, value })
    // Only now that the checkpoint is on disk; a crash here leaves records that load() passes over.
    await this.#db.clear({ gte: `u:${workspace}:`, lte: recordKey(workspace, seq) })
  }

  async workspaces(): Promise<string[]> {
    const keys = await this.#db.keys({ gte: 'w:', lt: 'w;' }).all()
    return keys.map((key) => key.slice(2))
  }

  async close(): Promise<void> {
    await this.#flight
    await this.#db.close()
  }
}
