import { setTimeout as pause } from 'node:timers/promises'
import type { StoreAddress } from '../../config/store-address.ts'
import { DEAD_MS, LOOK_MS } from './alive.ts'
import { hasCluster } from './cluster-tables.ts'
import * as sql from './node-statements.ts'
import { Session } from './session.ts'

/** A node, for its operator. */
export interface NodeFacts {
  node: string
  /** `up`: it gives signs of life. `silent`: it should, and does not. `stopped`: it has ended, or was fenced. */
  state: 'up' | 'silent' | 'stopped'
  /** Workspaces that it owns (count). */
  workspaces: number
  version: string
  url: string
  /** Host and process. */
  about: string
}

/**
 * The nodes that share a database, by address; null: it has none. Looks for signs of life until all have given one, for
 * 3 s at most. Rejects with Unavailable.
 */
export const nodesOf = async (address: StoreAddress): Promise<NodeFacts[] | null> => {
  const session = await Session.open(address)
  try {
    if (!(await hasCluster(session, address))) return null
    const look = async () => (await session.run({ text: sql.nodes(address.schema) })).rows
    const first = new Map((await look()).map(({ id, n }) => [id, n]))
    const until = performance.now() + DEAD_MS
    for (;;) {
      const rows = await look()
      const silent = new Set(
        rows.filter(({ id, n, is_up }) => is_up && first.get(id) === n).map(({ id }) => id),
      )
      if (silent.size === 0 || performance.now() > until) {
        return rows.map(({ id, is_up, workspaces, version, url, about }) => ({
          ...{ node: id, workspaces, version, url, about },
          state: !is_up ? 'stopped' : silent.has(id) ? 'silent' : 'up',
        }))
      }
      await pause(LOOK_MS)
    }
  } finally {
    await session.end()
  }
}
