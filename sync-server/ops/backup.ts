import { chmod, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { writeAtomic } from '../../lib/disk/atomic-write.ts'
import { syncFolder } from '../../lib/disk/sync-folder.ts'
import { digestOf, makeDir } from '../storage/integrity/disk.ts'
import { type Records, writeRecords } from './backup-file.ts'
import { blobFiles, blobPath } from './blob-files.ts'
import { copyWhole, makeFolder } from './folder.ts'
import { MANIFEST_FILE, type Manifest, newManifest, RECORDS_FILE } from './manifest.ts'
import { otherFiles } from './other-files.ts'

export interface Source {
  /** The data folder. */
  data: string
  /** All there is now; nothing that comes later is in it. */
  records: () => Records
  version: string
  now: () => number
}

/**
 * Writes a backup into `dir`, which is new or empty: `records`, which is the database as it was at one moment; `blobs/`,
 * all that were referred to at that moment among them, as long as none is removed meanwhile; `files/`, what else is in the
 * data folder; and last of all the manifest, without which it is none. Blobs are linked where they can be: nobody writes
 * to one. Throws `not_empty`; Corruption if the data on disk differs from the data written.
 */
export const writeBackup = (source: Source, dir: string): Promise<Manifest> =>
  makeFolder(dir, 'give a folder that is new or empty', async (partial) => {
    const at = new Date(source.now()).toISOString()
    const workspaces: string[] = []
    const see = (key: string): void => {
      if (key.startsWith('w:')) workspaces.push(key.slice(2))
    }
    const records = await writeRecords(join(partial, RECORDS_FILE), source.records(), see)
    const blobs = await copyBlobs(source.data, partial)
    const files = await copyFiles(source.data, partial)
    const { version } = source
    const manifest = newManifest({ version, at, workspaces, records, blobs, files })
    await writeAtomic(join(partial, MANIFEST_FILE), `${JSON.stringify(manifest, null, 1)}\n`, {
      mode: 0o600,
    })
    return manifest
  })

const copyBlobs = async (data: string, partial: string): Promise<Manifest['blobs']> => {
  const copied: Manifest['blobs'] = []
  const folders = new Set<string>()
  for await (const blob of blobFiles(data)) {
    const to = blobPath(partial, blob)
    const folder = dirname(to)
    if (!folders.has(folder)) await makeDir(folder)
    folders.add(folder)
    await copyWhole(blobPath(data, blob), to, true)
    copied.push(blob)
  }
  for (const folder of folders) await syncFolder(folder)
  return copied
}

const copyFiles = async (data: string, partial: string): Promise<Manifest['files']> => {
  const copied: Manifest['files'] = []
  const folder = join(partial, 'files')
  for (const name of await otherFiles(data)) {
    if (copied.length === 0) await makeDir(folder)
    const to = join(folder, name)
    const { mode } = await stat(join(data, name))
    await copyWhole(join(data, name), to, false)
    await chmod(to, mode & 0o777)
    copied.push({ name, sha256: await digestOf(to), mode: mode & 0o777 })
  }
  if (copied.length > 0) await syncFolder(folder)
  return copied
}
