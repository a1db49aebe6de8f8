import { Corruption } from './integrity/corruption.ts'
import type { Db, Snapshot } from './integrity/db.ts'
import { firstArchived } from './level-archive.ts'
import { entryKey } from './level-record-log.ts'

/**
 * True if nothing at all is stored of a workspace without records and checkpoints. Throws Corruption if it should have
 * some.
 */
export const hasNothing = async (
  db: Db,
  workspace: string,
  snapshot: Snapshot,
): Promise<boolean> => {
  const keys = [`w:${workspace}`, entryKey(workspace, 1), ...firstArchived(workspace)]
  const [mark, ...others] = await db.getMany(keys, { snapshot })
  if (mark !== undefined) throw new Corruption(`workspace ${workspace}`, 'all of it is missing')
  return others.every((value) => value === undefined)
}
