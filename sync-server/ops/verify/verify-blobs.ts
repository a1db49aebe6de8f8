import { createHash } from 'node:crypto'
import type { StoredBlobs } from '../../storage/blobs/stored-blobs.ts'
import { digestOf } from '../../storage/integrity/disk.ts'
import { blobFiles, blobPath } from '../blob-files.ts'
import type { Report } from './report.ts'

const TODO = 'put the file again from a copy, or restore it from a backup'

/**
 * Checks that every blob has the digest that names it, and that those are there, in the folder or in the store, to which
 * documents and checkpoints refer.
 */
export const verifyBlobs = async (
  data: string,
  stored: StoredBlobs,
  wanted: ReadonlyMap<string, ReadonlySet<string>>,
  report: Report,
): Promise<void> => {
  const missing = new Map([...wanted].map(([workspace, names]) => [workspace, new Set(names)]))
  for await (const blob of blobFiles(data)) {
    report.counts.blobs++
    const { workspace, sha256 } = blob
    missing.get(workspace)?.delete(sha256)
    const where = `workspace ${workspace}, blob ${sha256}`
    const check = async (): Promise<void> => {
      const digest = await digestOf(blobPath(data, blob))
      if (digest !== sha256) throw new Error(`its ${blob.size} bytes have the SHA-256 ${digest}`)
    }
    await report.look(
      where,
      check,
      `remove blobs/${workspace}/${sha256.slice(0, 2)}/${sha256}; then ${TODO}`,
    )
  }
  for (const workspace of await stored.workspaces()) {
    for (const { sha256, size } of await stored.list(workspace)) {
      report.counts.blobs++
      missing.get(workspace)?.delete(sha256)
      const check = async (): Promise<void> => {
        const hash = createHash('sha256')
        if (size > 0) {
          for await (const bytes of stored.read(workspace, sha256, 0, size - 1)) hash.update(bytes)
        }
        const digest = hash.digest('hex')
        if (digest !== sha256) throw new Error(`its ${size} bytes have the SHA-256 ${digest}`)
      }
      await report.look(`workspace ${workspace}, blob ${sha256}`, check, TODO)
    }
  }
  for (const [workspace, names] of missing) {
    for (const name of names) {
      report.problem(
        `workspace ${workspace}, blob ${name}`,
        'a file or a checkpoint refers to it, and it is missing',
        TODO,
      )
    }
  }
}
