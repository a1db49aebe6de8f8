import { hostname } from 'node:os'
import { setTimeout as pause } from 'node:timers/promises'
import { randomHex } from '../../../lib/random.ts'
import { ClawError } from '../../../protocol/errors.ts'
import type { StoreAddress } from '../../config/store-address.ts'
import { Fenced, type Store, Unavailable, Unknown } from '../integrity/db.ts'
import { bringToFormat, checkFormat } from '../integrity/format.ts'
import { PgDb } from './pg-db.ts'
import { Reader } from './reader.ts'
import { CONNECT_MS, Session } from './session.ts'
import * as sql from './statements.ts'

/** Between two signs of life of the server (milliseconds). */
const BEAT_MS = 1_000
/** Without an answer to a beat for this long the server answers nobody (milliseconds). */
const SILENT_MS = 4_000
/** A server without a sign of life for this long is none (milliseconds); a command that waits looks this often. */
const DEAD_MS = 3_000
const LOOK_MS = 250
/** Time to take the database: the write under way of the server before has to end first (milliseconds). */
const TAKE_MS = 30_000

/**
 * A process opens the database to `take` it, from another process if need be; `takeFree`: unless another process has it;
 * `read`: it takes nothing, needs the same, and its writes are rejected.
 */
export type Purpose = 'take' | 'takeFree' | 'read'

/** Makes what notes the newest durable record outside of the database with this id. */
type MarkOf = (id: string) => Store['mark']

/**
 * Opens the server's schema in a PostgreSQL database; creates it unless it is only read. Rejects with `no_data`,
 * `data_locked`, `data_unusable`; with Corruption, Newer; with Unavailable.
 */
export const openPostgres = async (
  address: StoreAddress,
  purpose: Purpose,
  markOf: MarkOf,
): Promise<Store> => {
  const owner = new Owner(address, purpose)
  let id: string
  try {
    id = await owner.open()
    if (purpose === 'read') await checkFormat(owner.db)
    else await bringToFormat(owner.db, true)
  } catch (error) {
    await owner.close()
    throw error
  }
  const mark = markOf(id)
  return {
    ...{ db: owner.db, mark },
    reopen: () => owner.reopen(),
    watch: (lost) => owner.watch(lost),
    close: async () => {
      await owner.close()
      mark.close()
    },
  }
}

/** A process's hold of the database: its epoch, and its beats. */
class Owner {
  readonly db: PgDb
  readonly #address: StoreAddress
  readonly #purpose: Purpose
  /** Names this process in the database. */
  readonly #holder = randomHex(12)
  #epoch: string | null = null
  #beats: Session | null = null
  #timer: NodeJS.Timeout | null = null
  #lost: (error: Error) => void = () => {}
  #isClosed = false

  constructor(address: StoreAddress, purpose: Purpose) {
    this.#address = address
    this.#purpose = purpose
    this.db = new PgDb(address)
  }

  /** Resolves to the id of the database. */
  async open(): Promise<string> {
    const session = await Session.open(this.#address)
    let id: string
    try {
      await checkServer(session)
      await this.#makeTables(session)
      if (this.#purpose === 'read') await deadHolder(session, this.#address)
      else this.#epoch = await this.#take(session)
      id = (await session.run({ text: sql.database(this.#address.schema) })).rows[0].database
    } catch (error) {
      session.close()
      throw error
    }
    await this.#use(session)
    return id
  }

  async #use(session: Session): Promise<void> {
    const reader = await Reader.open(this.#address)
    if (this.#epoch === null) {
      await session.end()
      this.db.use({ reader, writer: null })
    } else this.db.use({ reader, writer: { session, epoch: this.#epoch } })
  }

  async #makeTables(session: Session): Promise<void> {
    const { schema, shown } = this.#address
    const hasTables = async (): Promise<boolean> =>
      (await session.run({ text: sql.hasTables(schema) })).rows[0]?.found === true
    if (await hasTables()) return
    if (this.#purpose === 'read') throw noData(shown)
    await session
      .run({ text: sql.createTables(schema, randomHex(4)) })
      .catch(async (error: Error) => {
        // Another process may have made them at the same time.
        if (!(await hasTables())) throw error
      })
  }

  async #take(session: Session): Promise<string> {
    const { schema, shown } = this.#address
    const about = `${hostname()}, process ${process.pid}`
    if (this.#purpose === 'take') {
      const { rows } = await session.run(
        { text: sql.take(schema), values: [this.#holder, about] },
        TAKE_MS,
      )
      return rows[0].epoch
    }
    const before = await deadHolder(session, this.#address)
    const values = [this.#holder, about, before]
    const { rows } = await session.run({ text: sql.takeFrom(schema), values }, TAKE_MS)
    if (rows[0] === undefined) throw inUse(shown, 'a server that just started')
    return rows[0].epoch
  }

  /**
   * After a failed write: a new epoch, which waits for what is under way, so that it is known afterwards what is stored.
   * Rejects with Fenced if another process has the database.
   */
  async reopen(): Promise<void> {
    await this.#stop()
    const session = await Session.open(this.#address)
    try {
      await checkServer(session)
      const values = [this.#holder, `${hostname()}, process ${process.pid}`, this.#holder]
      const text = sql.takeFrom(this.#address.schema)
      const { rows } = await session.run({ text, values }, TAKE_MS)
      if (rows[0] === undefined) throw new Fenced()
      this.#epoch = rows[0].epoch
    } catch (error) {
      session.close()
      throw error
    }
    await this.#use(session)
    this.watch(this.#lost)
  }

  /** Beats, and calls `lost` once: with Fenced if another process has the database, with Unknown if it does not answer. */
  watch(lost: (error: Error) => void): void {
    this.#lost = lost
    if (this.#epoch === null) return
    let answeredAt = performance.now()
    const next = (): void => {
      this.#timer = setTimeout(() => void look(), BEAT_MS)
      this.#timer.unref()
    }
    const look = async (): Promise<void> => {
      const askedAt = performance.now()
      try {
        const epoch = await this.#beat()
        if (this.#isClosed || this.#timer === null) return
        if (epoch !== this.#epoch) return lost(new Fenced())
        answeredAt = askedAt
      } catch (error) {
        if (this.#isClosed || this.#timer === null) return
        if (performance.now() - answeredAt > SILENT_MS) {
          return lost(new Unknown('the database does not answer', { cause: error }))
        }
      }
      next()
    }
    next()
  }

  async #beat(): Promise<string> {
    this.#beats ??= await Session.open(this.#address, BEAT_MS)
    try {
      const query = { name: 'clawlink-beat', text: sql.beat(this.#address.schema) }
      const { rows } = await this.#beats.run({ ...query, values: [this.#holder] }, BEAT_MS)
      return rows[0].epoch
    } catch (error) {
      this.#beats.close()
      this.#beats = null
      throw error
    }
  }

  async #stop(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    this.#beats?.close()
    this.#beats = null
    await this.db.close()
  }

  /** Gives the database up, so that a command need not wait for a sign of life. */
  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    await this.#stop()
    if (this.#epoch === null) return
    const session = await Session.open(this.#address).catch(() => null)
    const text = sql.release(this.#address.schema)
    await session?.run({ text, values: [this.#holder] }, CONNECT_MS).catch(() => {})
    await session?.end()
  }
}

/** Throws `data_unusable` for a server that nothing can be written to. */
const checkServer = async (session: Session): Promise<void> => {
  const text = `select pg_is_in_recovery() as standby, current_setting('server_version_num')::int as version`
  const { standby, version } = (await session.run({ text })).rows[0]
  if (standby) {
    throw new ClawError(
      'data_unusable',
      'that PostgreSQL server is a standby',
      'give the address of the primary with --store',
    )
  }
  if (version < OLDEST) {
    throw new ClawError(
      'data_unusable',
      `that PostgreSQL server has version ${Math.floor(version / 10_000)}`,
      `use version ${OLDEST / 10_000} or newer`,
    )
  }
}
const OLDEST = 120_000

/** The holder of the database, if it gives no sign of life; null: nobody has it. Throws `data_locked`. */
const deadHolder = async (session: Session, address: StoreAddress): Promise<string | null> => {
  const look = async () => (await session.run({ text: sql.holderNow(address.schema) })).rows[0]
  const first = await look()
  if (first.holder === null) return null
  const until = performance.now() + DEAD_MS
  while (performance.now() < until) {
    await pause(LOOK_MS)
    const { holder, n } = await look()
    if (holder === null) return null
    if (holder !== first.holder || n !== first.n) throw inUse(address.shown, first.about)
  }
  return first.holder
}

/** True if a server has the database and gives signs of life. Rejects with Unavailable. */
export const isInUse = async (address: StoreAddress): Promise<boolean> => {
  const session = await Session.open(address)
  try {
    const { rows } = await session.run({ text: sql.hasTables(address.schema) })
    if (rows[0]?.found === true) await deadHolder(session, address)
    return false
  } catch (error) {
    if (error instanceof ClawError && error.code === 'data_locked') return true
    throw error instanceof Unavailable ? error : new Unavailable((error as Error).message)
  } finally {
    await session.end()
  }
}

const inUse = (shown: string, about: string): ClawError =>
  new ClawError(
    'data_locked',
    `${shown} is in use by a server (${about})`,
    'stop that one, or name another database or schema with --store',
  )

const noData = (shown: string): ClawError =>
  new ClawError('no_data', `${shown} holds no server data`, 'name its database with --store')
