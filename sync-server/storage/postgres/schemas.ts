import type { StoreAddress } from '../../config/store-address.ts'
import { Session } from './session.ts'
import * as sql from './statements.ts'

const within = async <T>(
  address: StoreAddress,
  work: (session: Session) => Promise<T>,
): Promise<T> => {
  const session = await Session.open(address)
  try {
    return await work(session)
  } finally {
    await session.end()
  }
}

/** True if the server's schema holds anything. Rejects with Unavailable. */
export const hasRecords = (address: StoreAddress): Promise<boolean> =>
  within(address, async (session) => {
    const { schema } = address
    const { rows } = await session.run({ text: sql.hasTables(schema) })
    if (rows[0]?.found !== true) return false
    const found = await session.run({ text: `select 1 from ${schema}.kv limit 1` })
    return found.rows.length > 0
  })

export const dropSchema = (address: StoreAddress): Promise<void> =>
  within(address, async (session) => {
    await session.run({ text: `drop schema if exists ${address.schema} cascade` })
  })

/** Renames a schema in one step; an empty one that has the name already goes. */
export const renameSchema = (from: StoreAddress, to: StoreAddress): Promise<void> =>
  within(from, async (session) => {
    const text = `drop schema if exists ${to.schema} cascade; alter schema ${from.schema} rename to ${to.schema}`
    await session.run({ text })
  })

/** The state of a database, for its operator. */
export interface Facts {
  version: string
  /** Bytes of the schema's records, with indexes and dead rows. */
  bytes: number
  /** False: a crash of PostgreSQL loses what was acknowledged. */
  hasFsync: boolean
  /** Standbys that receive its log, and those of them that every commit waits for (count). */
  standbys: number
  synchronous: number
  /** True if commits wait for a synchronous standby, whether there is one or not. */
  waits: boolean
}

/** Reads what `doctor` tells. Rejects with Unavailable. */
export const factsOf = (address: StoreAddress): Promise<Facts> =>
  within(address, async (session) => {
    const { rows } = await session.run({
      text: `select current_setting('server_version') as version,
        coalesce(pg_total_relation_size(to_regclass('${address.schema}.kv')), 0)::float8 as bytes,
        current_setting('fsync') = 'on' as "hasFsync",
        (select count(*)::int from pg_stat_replication) as standbys,
        (select count(*)::int from pg_stat_replication where sync_state in ('sync', 'quorum')) as synchronous,
        current_setting('synchronous_standby_names') <> '' as waits`,
    })
    return rows[0] as Facts
  })
