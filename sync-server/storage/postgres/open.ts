import { hostname } from 'node:os'
import { randomHex } from '../../../lib/random.ts'
import type { StoreAddress } from '../../config/store-address.ts'
import { Fenced, type Store } from '../integrity/db.ts'
import { bringToFormat, checkFormat } from '../integrity/format.ts'
import { Beats } from './beats.ts'
import { checkNodesDead, fenceNodes } from './cluster-tables.ts'
import { checkServer, deadHolder, inUse, makeTables, TAKE_MS } from './holder.ts'
import { PgDb } from './pg-db.ts'
import { Reader } from './reader.ts'
import { CONNECT_MS, ended, Session } from './session.ts'
import * as sql from './statements.ts'

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
  #beats: Beats<string> | null = null
  /** The connection that writes; null: it only reads. */
  #writer: Session | null = null
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
      await makeTables(session, this.#address, this.#purpose !== 'read')
      await checkNodesDead(session, this.#address)
      if (this.#purpose === 'read') await deadHolder(session, this.#address)
      else {
        this.#epoch = await this.#take(session)
        // A node that registered meanwhile looks for this server afterwards, and gives up.
        await fenceNodes(session, this.#address)
      }
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
    this.#writer = this.#epoch === null ? null : session
    if (this.#epoch === null) {
      await session.end()
      this.db.use({ reader, writer: null })
    } else this.db.use({ reader, writer: { session, epoch: this.#epoch } })
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

  /**
   * Beats, and calls `lost`: with Fenced if another process has the database, with Unknown if it does not answer, or the
   * connection that writes has ended, now or before.
   */
  watch(lost: (error: Error) => void): void {
    this.#lost = lost
    if (this.#epoch === null) return
    // Else the next write would find out, and be lost.
    this.#writer?.whenEnded((cause) => lost(ended(cause)))
    const query = { name: 'clawlink-beat', text: sql.beat(this.#address.schema) }
    this.#beats = new Beats({
      ...{ address: this.#address, lost, clock: () => performance.now() },
      ask: async (session, ms) => {
        const { rows } = await session.run({ ...query, values: [this.#holder] }, ms)
        return rows[0].epoch as string
      },
      answered: (epoch) => (epoch === this.#epoch ? null : new Fenced()),
    })
  }

  async #stop(): Promise<void> {
    this.#beats?.stop()
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
