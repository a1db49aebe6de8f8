import { chmod } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { syncFolder } from '../../lib/disk/sync-folder.ts'
import { ClawError } from '../../protocol/errors.ts'
import { adopt, clearFor, fillNew, unfinishedPlace } from '../storage/fill.ts'
import { Corruption, causeOf } from '../storage/integrity/corruption.ts'
import { digestOf, makeDir } from '../storage/integrity/disk.ts'
import type { Put } from '../storage/integrity/level-keys.ts'
import { noteStore, type Place } from '../storage/place.ts'
import { readRecords, type Written } from './backup-file.ts'
import { blobPath } from './blob-files.ts'
import { copyWhole, makeFolder } from './folder.ts'
import { type Manifest, RECORDS_FILE, readManifest } from './manifest.ts'

/** Of values in one write. */
const BATCH_BYTES = 4 * 1024 * 1024

const bad = (what: string): ClawError =>
  new ClawError('bad_backup', `the backup is damaged: ${what}`, 'take another one')

/**
 * Makes a place of a backup; its folder, and its database if it has one, are new or empty. `check` looks at them before they
 * get their names, and throws where they will not do. `blobs`: whether they are copied, or linked for a folder that is only to be looked at. Throws `not_empty`,
 * `bad_backup`, `data_newer`.
 */
export const restoreBackup = async (
  backup: string,
  place: Place,
  blobs: 'copy' | 'link',
  check: (unfinished: Place) => Promise<void>,
): Promise<Manifest> => {
  const manifest = await readManifest(backup)
  const hint =
    'restore into a folder that is new or empty: stop the server, and move the old one aside'
  const { data, store } = place
  return makeFolder(data, hint, async (partial) => {
    const unfinished = unfinishedPlace(place, partial)
    if (store !== null) await clearFor(store, unfinished.store!)
    await fillDatabase(join(backup, RECORDS_FILE), unfinished, manifest.records)
    await takeBlobs(backup, partial, manifest.blobs, blobs === 'link')
    await takeFiles(backup, partial, manifest.files)
    await check(unfinished)
    await noteStore({ data: partial, store })
    // Killed from here on, it leaves a whole database, and its folder under the name of an unfinished one.
    if (store !== null) await adopt(store, unfinished.store!)
    return manifest
  })
}

const fillDatabase = async (path: string, into: Place, expected: Written): Promise<void> => {
  const filling = await fillNew(into)
  try {
    let read: Written | null = null
    let ops: Put[] = []
    let bytes = 0
    const flush = async (): Promise<void> => {
      await filling.add(ops)
      ops = []
      bytes = 0
    }
    const done = (sum: Written): void => {
      read = sum
    }
    for await (const [key, value] of readRecords(path, done)) {
      ops.push({ type: 'put', key, value })
      bytes += value.length
      if (bytes >= BATCH_BYTES) await flush()
    }
    await flush()
    if (JSON.stringify(read) !== JSON.stringify(expected)) throw bad('its records have changed')
  } catch (error) {
    if (causeOf(error, Corruption) !== null) throw bad((error as Error).message)
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw bad('its records are missing')
    throw error
  } finally {
    await filling.close()
  }
}

const takeBlobs = async (
  backup: string,
  into: string,
  blobs: Manifest['blobs'],
  mayLink: boolean,
): Promise<void> => {
  const folders = new Set<string>()
  for (const blob of blobs) {
    const to = blobPath(into, blob)
    const folder = dirname(to)
    if (!folders.has(folder)) await makeDir(folder)
    folders.add(folder)
    await take(blobPath(backup, blob), to, blob.sha256, `blob ${blob.sha256}`, mayLink)
  }
  for (const folder of folders) await syncFolder(folder)
}

const takeFiles = async (backup: string, into: string, files: Manifest['files']): Promise<void> => {
  for (const { name, sha256, mode } of files) {
    await take(join(backup, 'files', name), join(into, name), sha256, name, false)
    await chmod(join(into, name), mode)
  }
}

const take = async (
  from: string,
  to: string,
  sha256: string,
  what: string,
  mayLink: boolean,
): Promise<void> => {
  try {
    await copyWhole(from, to, mayLink)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw bad(`${what} is missing`)
    throw error
  }
  if ((await digestOf(to)) !== sha256) throw bad(`${what} has changed`)
}
