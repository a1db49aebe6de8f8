import { KEPT_BLOBS, REMOVED_KEPT_MS } from '../../protocol/limits.ts'
import { isWorkspaceName } from '../../workspace/document/schema.ts'
import { pruneBlobs, referencedBlobs } from '../../workspace/files/blobs.ts'
import { clearRemoved } from '../../workspace/files/tree.ts'
import { BLOB_GRACE_MS } from '../config/limits.ts'
import type { Blobs } from '../storage/blobs/blobs.ts'
import type { Rooms } from '../sync/rooms.ts'
import type { Checkpoints } from './checkpoints/store.ts'

export interface Sweeper {
  sweep: () => Promise<void>
  /** Runs `work` while nothing is cleared. */
  hold: <T>(work: () => Promise<T>) => Promise<T>
}

/**
 * Clears unneeded data: in every document the texts of files that were removed long ago and the old versions of binary
 * files, then the blobs to which no version and no checkpoint refers. Calls do not overlap. `owns`: whether a workspace is
 * this node's, for a cluster.
 */
export const createSweep = (
  rooms: Rooms,
  { blobs, checkpoints }: { blobs: Blobs; checkpoints: Checkpoints },
  now: () => number,
  onError: (error: unknown, workspace: string) => void,
  owns: (workspace: string) => boolean = () => true,
): Sweeper => {
  const sweepOne = async (workspace: string): Promise<void> => {
    const removedBefore = now() - REMOVED_KEPT_MS
    const putBefore = now() - BLOB_GRACE_MS
    // A turn of the room collects the names. They are used once that turn is on disk, so no crash brings one back.
    const wanted = await rooms.open(workspace).command((doc) => {
      clearRemoved(doc, removedBefore)
      pruneBlobs(doc, KEPT_BLOBS, removedBefore)
      return referencedBlobs(doc)
    })
    const pinned = await checkpoints.pinnedBlobs(workspace)
    await blobs.collect(workspace, new Set([...wanted, ...pinned]), putBefore)
  }
  let sweeping: Promise<void> | null = null
  let holders = 0
  const sweepAll = async (): Promise<void> => {
    const names = new Set([...rooms.all].map(({ name }) => name))
    for (const name of await blobs.workspaces()) if (isWorkspaceName(name)) names.add(name)
    for (const name of names) {
      if (holders > 0) return
      if (!owns(name)) continue
      await sweepOne(name).catch((error) => onError(error, name))
    }
  }
  const sweep = (): Promise<void> => {
    if (holders > 0) return Promise.resolve()
    sweeping ??= sweepAll()
      .catch((error) => onError(error, ''))
      .finally(() => {
        sweeping = null
      })
    return sweeping
  }
  const hold = async <T>(work: () => Promise<T>): Promise<T> => {
    holders++
    try {
      await sweeping
      return await work()
    } finally {
      holders--
    }
  }
  return { sweep, hold }
}
