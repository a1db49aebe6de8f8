import type { Client, ClientConfig, QueryConfig, QueryResult } from 'pg'
import type { StoreAddress } from '../../config/store-address.ts'
import { Conflict, Unavailable, Unknown } from '../integrity/db.ts'

/** Time to connect, and for a read (milliseconds). */
export const CONNECT_MS = 10_000
export const READ_MS = 60_000
/**
 * Time for a write (milliseconds), and more per byte: a write waits without end while a synchronous standby is away.
 */
const WRITE_MS = 10_000
const WRITE_MS_PER_MIB = 200
const UNIQUE_VIOLATION = '23505'
/**
 * An idle connection is probed after this long (milliseconds), each second from then on, and ends after ten probes without an
 * answer: firewalls drop idle connections without a word.
 */
const PROBED_AFTER_MS = 10_000

/** Settings of every connection: warnings are told, and a forgotten reader is cut off. */
const SETTINGS = `set client_min_messages = warning; set idle_in_transaction_session_timeout = '5min'`
/** A commit waits for the disk, and for a synchronous standby where there is one, whatever the database's default is. */
const DURABLE = `select set_config('synchronous_commit', 'on', false)
  where current_setting('synchronous_commit') in ('off', 'local')`

export const configOf = ({ url, application = 'clawlink-sync' }: StoreAddress): ClientConfig => ({
  connectionString: url,
  connectionTimeoutMillis: CONNECT_MS,
  keepAlive: true,
  keepAliveInitialDelayMillis: PROBED_AFTER_MS,
  application_name: application,
})

/** One connection, which runs one statement at a time. */
export class Session {
  readonly #client: Client
  /** Why it cannot be used any more; null while it can. */
  #broken: Error | null = null
  #notice: string | null = null
  /** Why it ended by itself; null: it has not. */
  #end: Error | null = null
  #onEnded: (error: Error) => void = () => {}

  private constructor(client: Client) {
    this.#client = client
    client.on('error', (error) => this.#ended(error))
    client.on('end', () => this.#ended(new Error('the connection was closed')))
    // A commit that was not replicated is reported as a success with a warning, and nothing else.
    client.on('notice', ({ message }) => {
      this.#notice = message ?? 'a warning'
    })
  }

  /** Connects, within `ms`. Rejects with Unavailable. */
  static async open(address: StoreAddress, ms = CONNECT_MS): Promise<Session> {
    const { Client } = await import('./driver.ts')
    const client = new Client({ ...configOf(address), connectionTimeoutMillis: ms })
    const session = new Session(client)
    try {
      await client.connect()
      await session.run({ text: SETTINGS }, ms)
      await session.run({ text: DURABLE }, ms)
    } catch (error) {
      session.close()
      throw unavailable(error)
    }
    return session
  }

  #break(error: Error): void {
    this.#broken ??= error
  }

  #ended(error: Error): void {
    const isNews = this.#broken === null
    this.#break(error)
    if (!isNews) return
    this.#end = error
    this.#onEnded(error)
  }

  /** Calls `listener` once if the connection ends and nobody here ended it; at once if it has. */
  whenEnded(listener: (error: Error) => void): void {
    this.#onEnded = listener
    if (this.#end !== null) listener(this.#end)
  }

  /** Runs a statement that stores nothing, or whose repetition does no harm. Rejects with Unavailable. */
  async run(query: QueryConfig, ms = READ_MS): Promise<QueryResult> {
    try {
      return await this.#timed(query, ms)
    } catch (error) {
      throw unavailable(error)
    }
  }

  /**
   * Runs a statement that stores `bytes`. Rejects with Conflict; with Unavailable if nothing is stored; with Unknown if
   * that is not known, after which the session cannot be used.
   */
  async write(query: QueryConfig, bytes: number): Promise<QueryResult> {
    if (this.#broken !== null) throw unavailable(this.#broken)
    this.#notice = null
    const ms = WRITE_MS + (bytes / 2 ** 20) * WRITE_MS_PER_MIB
    let result: QueryResult
    try {
      result = await this.#timed(query, ms)
    } catch (error) {
      const { code, severity } = error as { code?: string; severity?: string }
      if (severity === 'ERROR' && this.#broken === null) {
        throw code === UNIQUE_VIOLATION ? new Conflict() : unavailable(error)
      }
      throw this.#unknown(error as Error)
    }
    if (this.#notice !== null) throw this.#unknown(new Error(this.#notice))
    return result
  }

  /** Whatever became of the statement, this connection stores nothing more. */
  #unknown(cause: Error): Unknown {
    this.#break(cause)
    this.close()
    return new Unknown(`it is unknown whether a write was stored: ${cause.message}`, { cause })
  }

  async #timed(query: QueryConfig, ms: number): Promise<QueryResult> {
    if (this.#broken !== null) throw this.#broken
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        const error = new Error(`no answer of the database in ${Math.round(ms / 1000)} s`)
        this.#break(error)
        this.close()
        reject(error)
      }, ms)
    })
    try {
      return await Promise.race([this.#client.query(query), late])
    } finally {
      clearTimeout(timer)
    }
  }

  /** Cuts the connection. */
  close(): void {
    this.#break(new Error('the connection was closed'))
    // A connection that hangs would wait for its farewell without end.
    void this.#client.end().catch(() => {})
    setTimeout(() => this.#cut(), 0).unref()
  }

  #cut(): void {
    const { connection } = this.#client as unknown as {
      connection?: { stream?: { destroy: () => void } }
    }
    connection?.stream?.destroy()
  }

  /** Closes the connection in order. */
  async end(): Promise<void> {
    this.#break(new Error('the connection was closed'))
    await this.#client.end().catch(() => {})
  }
}

/** The failure of a store when its connection for writes ended by itself. */
export const ended = ({ message }: Error): Unknown =>
  new Unknown(`the connection to the database ended: ${message}`)

/** The store's failure behind an error of the driver. */
export const unavailable = (cause: unknown): Unavailable => {
  if (cause instanceof Unavailable) return cause
  const { message, code } = cause as Error & { code?: string }
  return new Unavailable(message || code || 'no answer of the database', { cause })
}
