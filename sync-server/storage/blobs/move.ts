import { Readable } from 'node:stream'
import type { Blobs } from './blobs.ts'

interface Listed extends Blobs {
  list: (workspace: string) => Promise<readonly { sha256: string; size: number }[]>
}

/**
 * Moves all blobs; one is removed once it is complete, verified and durable at the other place. Unfinished uploads stay
 * where they are, and begin anew.
 */
export const moveBlobs = async (from: Listed, to: Blobs): Promise<void> => {
  for (const workspace of await from.workspaces()) {
    const all = await from.list(workspace)
    for (const { sha256, size } of all) {
      const upload = { workspace, sha256, size }
      const { offset, complete } = await to.progress(upload)
      if (complete) continue
      const rest =
        offset < size ? from.read(workspace, sha256, offset, size - 1) : Readable.from([])
      await to.append(upload, offset, rest)
    }
    if (all.length > 0) await from.collect(workspace, new Set(), Number.POSITIVE_INFINITY)
  }
}
