import * as sql from './node-statements.ts'

/** A node as it is in the database. */
export interface NodeRow {
  id: string
  epoch: string
  holder: string
  is_up: boolean
  url: string
  about: string
  version: string
  owner: string
  /** Its beats so far. */
  n: string
}

/** An owner of a workspace that was read. */
export interface OwnerRow {
  /** Empty: nobody. */
  node: string
  epoch: string
  /** The node still has that epoch. */
  valid: boolean
  url: string | null
}

/** Runs a query on any connection that reads. Rejects with Unavailable. */
type Ask = <R extends object>(query: {
  name?: string
  text: string
  values?: unknown[]
}) => Promise<R[]>

/** The rows that all nodes read and write without a fence. Each call rejects with Unavailable. */
export class ClusterRows {
  readonly #schema: string
  readonly #ask: Ask

  constructor(schema: string, ask: Ask) {
    this.#schema = schema
    this.#ask = ask
  }

  /** All nodes that ever registered, with their beats. */
  nodes(): Promise<NodeRow[]> {
    return this.#ask<NodeRow>({ text: sql.rows(this.#schema) })
  }

  /** Workspaces that each node owns (count). */
  async counts(): Promise<Map<string, number>> {
    const rows = await this.#ask<{ id: string; workspaces: number }>({
      text: sql.counts(this.#schema),
    })
    return new Map(rows.map(({ id, workspaces }) => [id, workspaces]))
  }

  /** True if the application of this name has a connection to the database. */
  async isConnected(application: string): Promise<boolean> {
    return (await this.#ask({ text: sql.connected, values: [application] })).length > 0
  }

  /** The owner of a workspace; null: the workspace does not exist. */
  async ownerOf(workspace: string): Promise<OwnerRow | null> {
    const query = { name: 'clawlink-owner', text: sql.ownerOf(this.#schema), values: [workspace] }
    return (await this.#ask<OwnerRow>(query))[0] ?? null
  }

  /** Adds names of workspaces that exist. */
  async addNames(names: readonly string[]): Promise<void> {
    await this.#ask({ text: sql.addNames(this.#schema), values: [names] })
  }

  /** All workspaces, sorted. */
  async names(): Promise<string[]> {
    const rows = await this.#ask<{ name: string }>({ text: sql.names(this.#schema) })
    return rows.map(({ name }) => name)
  }

  /** A value that the nodes share; null: there is none. */
  async value(key: string): Promise<string | null> {
    const rows = await this.#ask<{ v: string }>({ text: sql.shared(this.#schema), values: [key] })
    return rows[0]?.v ?? null
  }

  /** The same; `make` makes it unless it is there. */
  async valueOr(key: string, make: () => string): Promise<string> {
    const known = await this.value(key)
    if (known !== null) return known
    await this.#ask({ text: sql.share(this.#schema), values: [key, make()] })
    return (await this.value(key))!
  }

  async setValue(key: string, value: string): Promise<void> {
    await this.#ask({ text: sql.setShared(this.#schema), values: [key, value] })
  }

  /** Tickets that all nodes know, by their hashes (SharedTickets). */
  readonly tickets = {
    add: async (hash: string, ms: number): Promise<void> => {
      await this.#ask({ text: sql.addTicket(this.#schema), values: [hash, ms] })
    },
    has: async (hash: string): Promise<boolean> =>
      (await this.#ask({ text: sql.hasTicket(this.#schema), values: [hash] })).length > 0,
    take: async (hash: string): Promise<boolean> =>
      (await this.#ask({ text: sql.takeTicket(this.#schema), values: [hash] })).length > 0,
  }

  /** Raised by each single server that takes the database (decimal). */
  async serverEpoch(): Promise<string> {
    const text = `select epoch from ${this.#schema}.node`
    return (await this.#ask<{ epoch: string }>({ text }))[0]!.epoch
  }
}
