import { randomHex } from '../../../lib/random.ts'
import { ClawError } from '../../../protocol/errors.ts'
import type { StoreAddress } from '../../config/store-address.ts'
import { Unavailable } from '../integrity/db.ts'
import { aliveOf } from './alive.ts'
import { checkNodesDead } from './cluster-tables.ts'
import { Session } from './session.ts'
import * as sql from './statements.ts'

/** Time to take the database: the write under way of the server before has to end first (milliseconds). */
export const TAKE_MS = 30_000

/** Makes the tables of a single server unless they exist. Throws `no_data` if they do not and `create` is false. */
export const makeTables = async (
  session: Session,
  { schema, shown }: StoreAddress,
  create: boolean,
): Promise<void> => {
  const hasTables = async (): Promise<boolean> =>
    (await session.run({ text: sql.hasTables(schema) })).rows[0]?.found === true
  if (await hasTables()) return
  if (!create) throw noData(shown)
  await session
    .run({ text: sql.createTables(schema, randomHex(4)) })
    .catch(async (error: Error) => {
      // Another process may have made them at the same time.
      if (!(await hasTables())) throw error
    })
}

/** Throws `data_unusable` for a server that nothing can be written to. */
export const checkServer = async (session: Session): Promise<void> => {
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
export const deadHolder = async (
  session: Session,
  address: StoreAddress,
): Promise<string | null> => {
  let about = ''
  let holder: string | null = null
  const alive = await aliveOf(async () => {
    const { rows } = await session.run({ text: sql.holderNow(address.schema) })
    holder = rows[0].holder
    about = rows[0].about
    return new Map(holder === null ? [] : [[holder, rows[0].n]])
  })
  if (alive !== null) throw inUse(address.shown, about)
  return holder
}

/** True if a server has the database and gives signs of life. Rejects with Unavailable. */
export const isInUse = async (address: StoreAddress): Promise<boolean> => {
  const session = await Session.open(address)
  try {
    const { rows } = await session.run({ text: sql.hasTables(address.schema) })
    if (rows[0]?.found !== true) return false
    await checkNodesDead(session, address)
    await deadHolder(session, address)
    return false
  } catch (error) {
    if (error instanceof ClawError && error.code === 'data_locked') return true
    throw error instanceof Unavailable ? error : new Unavailable((error as Error).message)
  } finally {
    await session.end()
  }
}

export const inUse = (shown: string, about: string): ClawError =>
  new ClawError(
    'data_locked',
    `${shown} is in use by a server (${about})`,
    'stop that one, or name another database or schema with --store',
  )

const noData = (shown: string): ClawError =>
  new ClawError('no_data', `${shown} holds no server data`, 'name its database with --store')
