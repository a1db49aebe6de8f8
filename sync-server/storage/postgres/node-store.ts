import { hostname } from 'node:os'
import { Mutex } from '../../../lib/mutex.ts'
import { randomHex } from '../../../lib/random.ts'
import type { StoreAddress } from '../../config/store-address.ts'
import { Fenced, type Store, Unavailable } from '../integrity/db.ts'
import { bringToFormat } from '../integrity/format.ts'
import { Beats } from './beats.ts'
import { ClusterRows, type NodeRow, type OwnerRow } from './cluster-rows.ts'
import { makeCluster } from './cluster-tables.ts'
import { checkServer, deadHolder, inUse, makeTables, TAKE_MS } from './holder.ts'
import * as sql from './node-statements.ts'
import { PgDb } from './pg-db.ts'
import { Reader } from './reader.ts'
import { CONNECT_MS, ended, Session } from './session.ts'
import * as single from './statements.ts'

/** A write of a node that is fenced ends by itself within this time (milliseconds), or with its connection. */
const BLOCKED_MS = 2_000

/** A node as it registers. */
export interface Registration {
  /** Hexadecimal, random, kept in the node's data folder. */
  id: string
  url: string
  version: string
  /** SHA-256 of its owner's token. */
  owner: string
}

/** The state of the cluster, read with each beat. */
export interface Look {
  /** When the beat was sent, by the node's monotonic clock (milliseconds). */
  sentAt: number
  nodes: readonly NodeRow[]
  /** The stored value of `r:recovering`, sealed; null: there is none. */
  recovering: Buffer | null
}

/**
 * A node's hold of a database that it shares with other nodes: its own epoch, which its writes lock, and its beats. What
 * the node owns is the matter of cluster/.
 */
export class NodeStore implements Pick<Store, 'reopen' | 'watch'> {
  readonly db: PgDb
  readonly id: string
  readonly rows: ClusterRows
  /** Called with what each answered beat shows. */
  onLook: (look: Look) => void = () => {}
  /** Called when a new epoch was taken: nothing is owned. */
  onRegistered: (sentAt: number) => void = () => {}
  readonly #address: StoreAddress
  readonly #registration: Registration
  readonly #clock: () => number
  /** Names this process in the database. */
  readonly #holder = randomHex(12)
  /** Of statements that do not go through the writer: fencing may wait for the other node's write. */
  readonly #fencing = new Mutex()
  #epoch = ''
  #registeredAt = 0
  #isNew = false
  #reader: Reader | null = null
  #writer: Session | null = null
  #beats: Beats<Look> | null = null
  #lost: (error: Error) => void = () => {}
  #isClosed = false

  /** `clock`: milliseconds, monotonic. */
  constructor(address: StoreAddress, registration: Registration, clock: () => number) {
    this.#address = { ...address, application: applicationOf(registration.id) }
    this.#registration = registration
    this.#clock = clock
    this.id = registration.id
    this.db = new PgDb(address)
    this.rows = new ClusterRows(address.schema, (query) => this.#query(query))
  }

  /** This node's epoch (decimal). */
  get epoch(): string {
    return this.#epoch
  }

  /** True if no node of this id registered before. */
  get isNew(): boolean {
    return this.#isNew
  }

  /** When its registration was sent, by its clock (milliseconds): it counts as a beat. */
  get registeredAt(): number {
    return this.#registeredAt
  }

  get url(): string {
    return this.#registration.url
  }

  get #schema(): string {
    return this.#address.schema
  }

  /**
   * Registers the node, whichever process had its row. Resolves to the id of the database. Rejects with `data_locked` while
   * a single server has it, with `data_unusable`, Newer, Unavailable.
   */
  async open(): Promise<string> {
    const session = await Session.open(this.#address)
    try {
      await checkServer(session)
      await makeTables(session, this.#address, true)
      await makeCluster(session, this.#address)
      await this.#takeFromServer(session)
      await this.#register(session, null)
      const text = single.database(this.#schema)
      const id = (await session.run({ text })).rows[0].database
      await this.#use(session)
      await bringToFormat(this.db, true)
      return id
    } catch (error) {
      session.close()
      await this.close()
      throw error
    }
  }

  /** A single server that is dead stores nothing more. Throws `data_locked`. */
  async #takeFromServer(session: Session): Promise<void> {
    const dead = await deadHolder(session, this.#address)
    if (dead === null) return
    const text = single.takeFrom(this.#schema)
    await session.run({ text, values: [null, null, dead] }, TAKE_MS)
  }

  /** `from` null: whichever process has the row. Rejects with Fenced, `data_locked`. */
  async #register(session: Session, from: string | null): Promise<void> {
    const { id, url, version, owner } = this.#registration
    const about = `${hostname()}, process ${process.pid}`
    const sentAt = this.#clock()
    const values = [id, this.#holder, from, url, about, version, owner]
    const { rows } = await session.run({ text: sql.register(this.#schema), values }, TAKE_MS)
    if (rows[0] === undefined) throw new Fenced('another process has the data folder of this node')
    // A single server registers itself first, and fences the nodes then: one of the two sees the other.
    const found = await session.run({ text: single.holderNow(this.#schema) })
    if (found.rows[0].holder !== null) throw inUse(this.#address.shown, found.rows[0].about)
    this.#epoch = rows[0].epoch
    this.#isNew = this.#epoch === '1'
    this.#registeredAt = sentAt
    this.onRegistered(sentAt)
  }

  async #use(session: Session): Promise<void> {
    this.#reader = await Reader.open(this.#address)
    void this.#reader.warm()
    const row = sql.rowOf(this.id)
    this.#writer = session
    this.db.use({ reader: this.#reader, writer: { session, epoch: this.#epoch, row } })
  }

  /**
   * After a failed write, or after another node fenced this one: a new epoch, which waits for what is under way. This node
   * owns nothing then. Rejects with Fenced if another process has its data folder, or a single server the database.
   */
  async reopen(): Promise<void> {
    await this.#stop()
    const session = await Session.open(this.#address)
    try {
      await checkServer(session)
      await this.#register(session, this.#holder)
    } catch (error) {
      session.close()
      throw (error as { code?: string }).code === 'data_locked' ? new Fenced() : error
    }
    await this.#use(session)
    this.watch(this.#lost)
  }

  /**
   * Beats, and calls `lost`: with Fenced if this node was fenced, with Unknown if the database does not answer, or the
   * connection that writes has ended, now or before.
   */
  watch(lost: (error: Error) => void): void {
    this.#lost = lost
    // A node that owns nothing writes nothing, and would find out only when it has to claim.
    this.#writer?.whenEnded((cause) => lost(ended(cause)))
    const query = { name: 'clawlink-look', text: sql.look(this.#schema) }
    this.#beats = new Beats<Look>({
      ...{ address: this.#address, lost, clock: this.#clock },
      ask: async (session, ms) => {
        const sentAt = this.#clock()
        const { rows } = await session.run({ ...query, values: [this.id, this.#epoch] }, ms)
        return { sentAt, nodes: rows, recovering: rows[0]?.recovering ?? null }
      },
      answered: (look) => {
        const mine = look.nodes.find(({ id }) => id === this.id)
        if (mine?.epoch !== this.#epoch) return new Fenced('another node fenced this one')
        this.onLook(look)
        return null
      },
    })
  }

  /**
   * Another node stores nothing more: it takes its epoch, and waits for its write under way. A connection that hangs within
   * one is ended, if the role may. Rejects with Unavailable.
   */
  fence(id: string, epoch: string): Promise<void> {
    return this.#fencing.run(async () => {
      const session = await Session.open(this.#address)
      let timer: NodeJS.Timeout | undefined
      try {
        const { rows } = await session.run({ text: 'select pg_backend_pid() as pid' })
        timer = setTimeout(() => void this.#endBlockers(id, rows[0].pid), BLOCKED_MS)
        await session.run({ text: sql.fenceNode(this.#schema), values: [id, epoch] }, TAKE_MS)
      } finally {
        clearTimeout(timer)
        await session.end()
      }
    })
  }

  async #endBlockers(id: string, pid: number): Promise<void> {
    const query = { text: sql.endBlockers, values: [applicationOf(id), pid] }
    await this.#query(query).catch(() => {}) // the fence waits on
  }

  /** True if that node has a connection to the database. Rejects with Unavailable. */
  isConnected(id: string): Promise<boolean> {
    return this.rows.isConnected(applicationOf(id))
  }

  /** Claims a workspace from an owner that is not valid any more; false: another node was faster. Rejects like a write. */
  async claim(workspace: string, from: Pick<OwnerRow, 'node' | 'epoch'>): Promise<boolean> {
    const values = [workspace, this.id, from.node, from.epoch]
    const { claimed } = await this.db.fenced((row) => sql.claim(this.#schema, row), values)
    return claimed === 1
  }

  /**
   * Makes a workspace that this node owns. Resolves to `exists` if there is one of this name, to `full` if there are `most`.
   * Rejects like a write.
   */
  async create(workspace: string, most: number): Promise<'made' | 'exists' | 'full'> {
    const values = [workspace, this.id, most]
    const { made } = await this.db.fenced((row) => sql.create(this.#schema, row), values)
    if (made === 1) return 'made'
    return (await this.rows.ownerOf(workspace)) === null ? 'full' : 'exists'
  }

  /** Gives a workspace up, after all writes that were asked for before. Rejects like a write. */
  async giveUp(workspace: string): Promise<void> {
    await this.db.fenced((row) => sql.giveUp(this.#schema, row), [workspace, this.id])
  }

  async #query<R extends object>(query: { name?: string; text: string; values?: unknown[] }) {
    if (this.#reader === null) throw new Unavailable('the database is not open')
    return this.#reader.query<R & Record<string, unknown>>(query)
  }

  /** Gives no sign of life any more. */
  stop(): void {
    this.#beats?.stop()
    this.#beats = null
  }

  async #stop(): Promise<void> {
    this.stop()
    this.#reader = null
    await this.db.close()
  }

  /** Ends in order: what this node owns is free at once. */
  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    await this.#stop()
    if (this.#epoch === '') return
    const session = await Session.open(this.#address).catch(() => null)
    const values = [this.id, this.#holder]
    const text = sql.unregister(this.#schema)
    await session?.run({ text, values }, CONNECT_MS).catch(() => {})
    await session?.end()
  }
}

/** The name of a node's connections. */
const applicationOf = (id: string): string => `clawlink-sync node ${id}`
