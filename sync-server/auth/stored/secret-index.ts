import type { FactLog, UpdateLog } from '../../storage/update-log.ts'
import { readAccess, secretOp } from './log.ts'
import { Workspaces } from './workspaces.ts'

/** Entries of one write (count). */
const BATCH = 1_000

/**
 * Stores of all secrets which workspaces they are of, as a single server does not. Adding twice does no harm. Resolves to
 * the names of all workspaces.
 */
export const indexSecrets = async (
  log: { facts: FactLog } & Pick<UpdateLog, 'workspaces'>,
): Promise<string[]> => {
  const { credentials, invites } = await readAccess(log.facts)
  const all = [...credentials, ...invites].flatMap(({ hash, workspace }) =>
    hash === '' || workspace === null ? [] : [secretOp([hash, workspace])],
  )
  for (let i = 0; i < all.length; i += BATCH) await log.facts.put(all.slice(i, i + BATCH))
  const { names, removed } = await Workspaces.open(log, Number.POSITIVE_INFINITY)
  return [...names, ...removed.map(({ name }) => name)]
}
