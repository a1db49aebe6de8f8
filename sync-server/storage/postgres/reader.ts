import type { Pool, PoolClient, QueryConfig, QueryResultRow } from 'pg'
import type { StoreAddress } from '../../config/store-address.ts'
import type { Snapshot } from '../integrity/db.ts'
import { Copied, type CopiedRow } from './copied.ts'
import { configOf, READ_MS, unavailable } from './session.ts'

/** Connections for reads (count); a snapshot has one to itself. */
const READERS = 6
/** Longest wait for one of them, when many rooms load at once (milliseconds). */
const QUEUE_MS = 30_000

const BEGIN = 'begin transaction isolation level repeatable read read only'

/** Runs queries, all of them as of one moment if it is a snapshot. Rejects with Unavailable. */
export interface Querying {
  query: <R extends QueryResultRow>(query: QueryConfig) => Promise<R[]>
  /** The rows of a statement of sql.copyRange or sql.copyKeys. */
  copied: (text: string) => Promise<CopiedRow[]>
}

/** The connections that read. */
export class Reader implements Querying {
  readonly #pool: Pool

  private constructor(pool: Pool) {
    this.#pool = pool
    // A connection ended: the read on it is rejected, and the next read opens another.
    pool.on('error', () => {})
    pool.on('connect', (client) => client.on('error', () => {}))
  }

  static async open(address: StoreAddress): Promise<Reader> {
    const { Pool } = await import('./driver.ts')
    const config = { ...configOf(address), connectionTimeoutMillis: QUEUE_MS }
    // Idle connections stay open: a node that takes over workspaces needs all at once, and to open one takes longer than to read.
    return new Reader(
      new Pool({ ...config, max: READERS, query_timeout: READ_MS, idleTimeoutMillis: 0 }),
    )
  }

  /** Opens all connections that are not open yet, as far as the database lets it. */
  async warm(): Promise<void> {
    const opening = Array.from({ length: READERS }, () => this.#pool.connect())
    for (const opened of await Promise.allSettled(opening)) {
      if (opened.status === 'fulfilled') opened.value.release()
    }
  }

  query<R extends QueryResultRow>(query: QueryConfig): Promise<R[]> {
    return this.#with((client) => ask<R>(client, query))
  }

  copied(text: string): Promise<CopiedRow[]> {
    return this.#with((client) => copy(client, text))
  }

  async #with<T>(read: (client: PoolClient) => Promise<T>): Promise<T> {
    const client = await this.#connect()
    return read(client).then(
      (found) => {
        client.release()
        return found
      },
      (error: Error) => {
        client.release(error)
        throw error
      },
    )
  }

  #connect(): Promise<PoolClient> {
    return this.#pool.connect().catch((error) => {
      throw unavailable(error)
    })
  }

  snapshot(): PgSnapshot {
    return new PgSnapshot(this.#connect())
  }

  async close(): Promise<void> {
    await this.#pool.end().catch(() => {})
  }
}

const ask = async <R extends QueryResultRow>(
  client: PoolClient,
  query: QueryConfig | string,
): Promise<R[]> => {
  try {
    return (await client.query<R>(query)).rows
  } catch (error) {
    throw unavailable(error)
  }
}

const copy = (client: PoolClient, text: string): Promise<CopiedRow[]> =>
  new Promise((resolve, reject) => {
    const done = (error: Error | null, rows: CopiedRow[]): void =>
      error === null ? resolve(rows) : reject(unavailable(error))
    client.query(new Copied(text, done))
  })

/** A transaction that only reads. Its moment is that of its first query. */
export class PgSnapshot implements Snapshot, Querying {
  readonly #client: Promise<PoolClient>
  /** The queries so far: a connection takes one at a time. */
  #last: Promise<unknown>
  #failed: Error | null = null

  constructor(client: Promise<PoolClient>) {
    this.#client = client
    this.#last = client.then((one) => ask(one, BEGIN))
    this.#last.catch((error: Error) => {
      this.#failed ??= error
    })
  }

  query<R extends QueryResultRow>(query: QueryConfig): Promise<R[]> {
    return this.#next((client) => ask<R>(client, query))
  }

  copied(text: string): Promise<CopiedRow[]> {
    return this.#next((client) => copy(client, text))
  }

  #next<T>(read: (client: PoolClient) => Promise<T>): Promise<T> {
    const found = this.#last.then(async () => read(await this.#client))
    found.catch((error: Error) => {
      this.#failed ??= error
    })
    this.#last = found
    return found
  }

  async close(): Promise<void> {
    await this.#last.catch(() => {})
    const client = await this.#client.catch(() => null)
    if (client === null) return
    const error =
      this.#failed ??
      (await ask(client, 'commit').then(
        () => null,
        (one: Error) => one,
      ))
    client.release(error ?? undefined)
  }
}
