import { ClawError } from '../../../protocol/errors.ts'
import type { StoreAddress } from '../../config/store-address.ts'
import { Newer } from '../integrity/corruption.ts'
import { aliveOf } from './alive.ts'
import * as sql from './node-statements.ts'
import type { Session } from './session.ts'

export const hasCluster = async (session: Session, { schema }: StoreAddress): Promise<boolean> =>
  (await session.run({ text: sql.hasCluster(schema) })).rows[0]?.found === true

/** Makes the tables of a cluster unless they exist. Rejects with Newer. */
export const makeCluster = async (session: Session, address: StoreAddress): Promise<void> => {
  const { schema } = address
  if (!(await hasCluster(session, address))) {
    await session.run({ text: sql.createCluster(schema) })
  }
  const { rows } = await session.run({ text: sql.shared(schema), values: ['schema'] })
  if (Number(rows[0]?.v) > sql.CLUSTER_SCHEMA) {
    throw new Newer(`its tables of the cluster have version ${rows[0].v}`)
  }
}

/** Throws `data_locked` if a node of a cluster gives signs of life. */
export const checkNodesDead = async (session: Session, address: StoreAddress): Promise<void> => {
  if (!(await hasCluster(session, address))) return
  const about = new Map<string, string>()
  const alive = await aliveOf(async () => {
    const { rows } = await session.run({ text: sql.nodesUp(address.schema) })
    for (const row of rows) about.set(row.id, row.about)
    return new Map(rows.map(({ id, n }) => [id, n]))
  })
  if (alive === null) return
  throw new ClawError(
    'data_locked',
    `${address.shown} is in use by a node of a cluster (${about.get(alive)})`,
    'start with --node-url to join it, or stop all its nodes first',
  )
}

/** Takes the database from all nodes: none of them stores anything more. */
export const fenceNodes = async (session: Session, address: StoreAddress): Promise<void> => {
  if (!(await hasCluster(session, address))) return
  await session.run({ text: sql.fenceAll(address.schema) })
}
