import { Corruption } from './integrity/corruption.ts'
import type { Db, Snapshot, Store } from './integrity/db.ts'
import { firstArchived } from './level-archive.ts'
import { checkpointKey, entryKey, recordKey } from './level-record-log.ts'

/** The keys of a workspace that mark it, and begin its chain and its archive. */
const firstKeys = (workspace: string): string[] => [
  `w:${workspace}`,
  entryKey(workspace, 1),
  ...firstArchived(workspace),
]

/**
 * True if nothing at all is stored of a workspace without records and checkpoints. Throws Corruption if it should have
 * some.
 */
export const hasNothing = async (
  db: Db,
  workspace: string,
  snapshot: Snapshot,
): Promise<boolean> => {
  const [mark, ...others] = await db.getMany(firstKeys(workspace), { snapshot })
  if (mark !== undefined) throw new Corruption(`workspace ${workspace}`, 'all of it is missing')
  return others.every((value) => value === undefined)
}

/**
 * True if the store says at once that a workspace has no mark, no checkpoint, no first record and no first entry of its
 * chain and archive. One that lost some of them by damage still has the others.
 */
export const isSurelyNew = ({ lacks }: Store, workspace: string): boolean =>
  lacks?.([
    ...firstKeys(workspace),
    ...[checkpointKey(workspace, 0), checkpointKey(workspace, 1), recordKey(workspace, 1)],
  ]) === true
