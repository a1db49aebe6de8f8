import { Mutex } from '../../../lib/mutex.ts'
import type { StoreAddress } from '../../config/store-address.ts'
import { unsealed } from '../integrity/checksummed.ts'
import { Corruption } from '../integrity/corruption.ts'
import {
  Conflict,
  type Db,
  Fenced,
  type Found,
  type Range,
  type Reading,
  Unavailable,
  type Writing,
} from '../integrity/db.ts'
import { type Op, workspaceOfKey } from '../integrity/level-keys.ts'
import { boundsOf, type Entry, entriesIn, keysIn, valuesOf } from './found.ts'
import { PgSnapshot, type Reader } from './reader.ts'
import { rowsOf } from './rows.ts'
import type { Session } from './session.ts'
import * as sql from './statements.ts'

/** The connections while the database is open. */
interface Open {
  reader: Reader
  /** null: it may only read. */
  writer: Writer | null
}

interface Writer {
  session: Session
  epoch: string
  /** Absent: the single server's. */
  row?: sql.FenceRow
}

/**
 * The ordered store on PostgreSQL. Each write is one statement that stores all of it, only while the epoch is the one
 * that this process took.
 */
export class PgDb implements Db {
  /**
   * True for a workspace that this process may write. Asked when a write is about to be sent: a write to any other
   * workspace rejects with Conflict. null: it may write all.
   */
  mayWrite: ((workspace: string) => boolean) | null = null
  readonly #schema: string
  /** One write at a time: they are stored in the order of the calls. */
  readonly #writing = new Mutex()
  #open: Open | null = null

  constructor({ schema }: StoreAddress) {
    this.#schema = schema
  }

  /** Uses these connections from now on, and closes them. */
  use(open: Open): void {
    this.#open = open
  }

  get #now(): Open {
    if (this.#open === null) throw new Unavailable('the database is not open')
    return this.#open
  }

  async close(): Promise<void> {
    await this.#writing.settled()
    const open = this.#open
    this.#open = null
    await open?.writer?.session.end()
    await open?.reader.close()
  }

  async get(key: string, options: Reading = {}): Promise<Uint8Array | undefined> {
    return (await this.getMany([key], options))[0]
  }

  async getMany(keys: string[], options: Reading = {}): Promise<(Uint8Array | undefined)[]> {
    const at = this.#at(options) ?? this.#now.reader
    const found = await valuesOf(at, this.#schema, keys)
    const isRaw = options.valueEncoding === 'view'
    return keys.map((key) => {
      const sealed = found.get(key)
      return sealed === undefined || isRaw ? sealed : opened(sealed)
    })
  }

  #at({ snapshot }: Reading): PgSnapshot | null {
    return snapshot instanceof PgSnapshot ? snapshot : null
  }

  #entries<T>(range: Range, show: (key: string, value: Uint8Array) => T): Found<T> {
    const isRaw = range.valueEncoding === 'view'
    const entry = ([key, sealed]: Entry): T => show(key, isRaw ? sealed : opened(sealed))
    return entriesIn(this.#now.reader, this.#at(range), this.#schema, range, entry)
  }

  iterator(range: Range = {}): Found<[string, Uint8Array]> {
    return this.#entries(range, (key, value) => [key, value])
  }

  values(range: Range = {}): Found<Uint8Array> {
    return this.#entries(range, (_, value) => value)
  }

  keys(range: Range = {}): Found<string> {
    return keysIn(this.#at(range) ?? this.#now.reader, this.#schema, range)
  }

  snapshot(): PgSnapshot {
    return this.#now.reader.snapshot()
  }

  put(key: string, value: Uint8Array, options?: Writing): Promise<void> {
    return this.batch([{ type: 'put', key, value }], options)
  }

  batch(ops: Op[], { valueEncoding }: Writing = {}): Promise<void> {
    if (ops.length === 0) return Promise.resolve()
    const { bytes, places, fresh, gone } = rowsOf(ops, valueEncoding === 'view')
    return this.#writing.run(async () => {
      const { session, epoch, row } = this.#writer
      this.#checkMayWrite(ops.map(({ key }) => key))
      const isNew = fresh === places[0].length && gone[0].length === 0
      if (isNew) {
        const text = sql.insertNew(this.#schema, row)
        const query = { name: 'clawlink-new', text, values: [epoch, bytes, ...places] }
        const { rowCount } = await session.write(query, bytes.length)
        if (rowCount === 0) throw new Fenced()
        return
      }
      const text = sql.write(this.#schema, row)
      const values = [epoch, bytes, ...places, fresh, ...gone]
      checkFence(await session.write({ name: 'clawlink-write', text, values }, bytes.length))
    })
  }

  clear(range: Pick<Range, 'gt' | 'gte' | 'lt' | 'lte'>): Promise<void> {
    const { from, to } = boundsOf(range)
    return this.#writing.run(async () => {
      const { session, epoch, row } = this.#writer
      this.#checkMayWrite([from.toString()])
      const text = sql.clear(this.#schema, row)
      checkFence(
        await session.write({ name: 'clawlink-clear', text, values: [epoch, from, to] }, 0),
      )
    })
  }

  /**
   * Runs a statement under the fence, in its order among the writes. `$1` of it is the epoch; `fences` of its first row,
   * as everywhere, the rows of the fence. Resolves to the first row. Rejects like a write.
   */
  fenced(
    statement: (row: sql.FenceRow) => string,
    values: readonly unknown[],
  ): Promise<{ fences: number; [column: string]: unknown }> {
    return this.#writing.run(async () => {
      const { session, epoch, row } = this.#writer
      if (row === undefined) throw new Unavailable('this server is not a node of a cluster')
      const result = await session.write({ text: statement(row), values: [epoch, ...values] }, 0)
      checkFence(result)
      return result.rows[0]
    })
  }

  #checkMayWrite(keys: readonly string[]): void {
    const { mayWrite } = this
    if (mayWrite === null) return
    for (const key of keys) {
      const workspace = workspaceOfKey(key)
      if (workspace !== '' && !mayWrite(workspace)) throw new Conflict()
    }
  }

  get #writer(): Writer {
    const { writer } = this.#now
    if (writer === null) throw new Unavailable('the database is open for reading only')
    return writer
  }
}

/** Throws Fenced if the statement found no fence, and so stored nothing. */
const checkFence = ({ rows }: { rows: { fences: number }[] }): void => {
  if (rows[0]?.fences !== 1) throw new Fenced()
}

const opened = (sealed: Uint8Array): Uint8Array => {
  const value = unsealed(sealed)
  if (value === null) throw new Corruption('a record', 'its checksum is wrong')
  return value
}
