import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { ClawError } from '../../protocol/errors.ts'
import { type OwnerFile, readOwner } from '../auth/owner.ts'
import type { Store } from '../storage/integrity/db.ts'
import { hasDatabase } from '../storage/integrity/inspect.ts'
import { LevelUpdateLog } from '../storage/level-update-log.ts'
import { logOn, openStore } from '../storage/open-log.ts'
import { type Place, shownPlace } from '../storage/place.ts'
import { storeError } from '../storage/store-error.ts'
import { askServer } from './ask.ts'
import type { BackupSummary } from './manifest.ts'
import { restoreBackup } from './restore.ts'

/** Throws `no_data`, `data_unusable`. */
const checkData = async ({ data, store }: Place): Promise<void> => {
  if (store !== null) return
  const isThere = await hasDatabase(data).catch((error) => {
    throw storeError(data, error)
  })
  if (isThere) return
  throw new ClawError(
    'no_data',
    `${data} holds no server data`,
    'name its folder with --data, or CLAWLINK_DATA',
  )
}

/**
 * The log of a place that no server uses; null where one does. `mayWrite` false: on PostgreSQL it is only read, and no
 * server that starts meanwhile is disturbed. Throws `no_data`, `data_damaged` and the like.
 */
export const openData = async (place: Place, mayWrite = false): Promise<LevelUpdateLog | null> =>
  (await openHeld(place, mayWrite))?.log ?? null

/** The same with its store, which the log closes. */
export const openHeld = async (
  place: Place,
  mayWrite: boolean,
): Promise<{ store: Store; log: LevelUpdateLog } | null> => {
  await checkData(place)
  if (await isServed(place)) return null
  try {
    const store = await openStore(place, mayWrite ? 'takeFree' : 'read', false)
    return { store, log: await logOn(place, store, Date.now) }
  } catch (thrown) {
    const error = storeError(shownPlace(place), thrown)
    if (error.code === 'data_locked') return null
    throw error
  }
}

/**
 * True if the server of this folder is known to run, without asking its PostgreSQL database. LevelDB's lock tells the same
 * more surely.
 */
export const isServed = async ({ data, store }: Place): Promise<boolean> => {
  const owner = store === null ? null : readOwner(data)
  if (!owner?.url) return false
  return askServer(owner, '/').then(
    () => true,
    () => false,
  )
}

/** The owner's file of the server that uses the place. Throws `data_locked` where it is unknown. */
export const ownerOf = async (place: Place): Promise<OwnerFile> => {
  const owner = readOwner(place.data)
  if (owner?.url) return owner
  throw new ClawError(
    'data_locked',
    `${shownPlace(place)} is in use by an unknown process`,
    place.store === null
      ? 'run this as the user of the server, or stop the server'
      : 'run this on the machine of its server, with the --data of that server, or stop the server',
  )
}

export const backupByServer = async (place: Place, dir: string): Promise<BackupSummary> => {
  const owner = await ownerOf(place)
  await askServer(owner, '/') // one that hangs is noticed
  return askServer<BackupSummary>(owner, '/api/admin/backup', { dir }, null)
}

/**
 * Reads the data of a server, running or not. Of one that runs it is a copy in a LevelDB database, made by way of a backup
 * in a folder within the data, where the server may write, that goes again; its blobs are the same files where they can be
 * linked.
 */
export const withData = async <T>(
  place: Place,
  read: (log: LevelUpdateLog, data: string) => Promise<T>,
): Promise<T> => {
  const own = await openData(place)
  if (own !== null) return read(own, place.data).finally(() => own.close())
  const within = await mkdtemp(join(place.data, '.copy-'))
  try {
    const copy = join(within, 'data')
    await backupByServer(place, join(within, 'backup'))
    await restoreBackup(join(within, 'backup'), { data: copy, store: null }, 'link', async () => {})
    const log = await LevelUpdateLog.open(copy, Date.now, false)
    return await read(log, copy).finally(() => log.close())
  } finally {
    await rm(within, { recursive: true, force: true })
  }
}
