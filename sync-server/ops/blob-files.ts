import { join } from 'node:path'
import { isBlobName } from '../../protocol/ids.ts'
import { isWorkspaceName } from '../../workspace/document/schema.ts'
import { namesIn, sizeOf } from '../storage/integrity/disk.ts'

/** A blob as it lies below a data folder or a backup. */
export interface BlobFile {
  workspace: string
  sha256: string
  size: number
}

export const blobPath = (root: string, { workspace, sha256 }: Omit<BlobFile, 'size'>): string =>
  join(root, 'blobs', workspace, sha256.slice(0, 2), sha256)

/** All whole blobs below a data folder. */
export const blobFiles = async function* (root: string): AsyncGenerator<BlobFile> {
  for (const workspace of await namesIn(join(root, 'blobs'))) {
    if (!isWorkspaceName(workspace)) continue
    for (const part of await namesIn(join(root, 'blobs', workspace))) {
      if (!/^[0-9a-f]{2}$/.test(part)) continue
      for (const sha256 of await namesIn(join(root, 'blobs', workspace, part))) {
        if (!isBlobName(sha256)) continue
        const size = await sizeOf(blobPath(root, { workspace, sha256 }))
        if (size !== null) yield { workspace, sha256, size }
      }
    }
  }
}
