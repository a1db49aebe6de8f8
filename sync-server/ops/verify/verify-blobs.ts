import { digestOf } from '../../storage/integrity/disk.ts'
import { blobFiles, blobPath } from '../blob-files.ts'
import type { Report } from './report.ts'

const TODO = 'put the file again from a copy, or restore it from a backup'

/** Checks that every blob has the digest that names it, and that those are there to which documents and checkpoints refer. */
export const verifyBlobs = async (
  data: string,
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
