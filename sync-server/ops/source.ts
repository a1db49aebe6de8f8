import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { ClawError } from '../../protocol/errors.ts'
import { type OwnerFile, readOwner } from '../auth/owner.ts'
import { hasDatabase } from '../storage/integrity/inspect.ts'
import { LevelUpdateLog } from '../storage/level-update-log.ts'
import { storeError } from '../storage/store-error.ts'
import { askServer } from './ask.ts'
import type { BackupSummary } from './manifest.ts'
import { restoreBackup } from './restore.ts'

/** Throws `no_data`, `data_unusable`. */
export const checkData = async (data: string): Promise<void> => {
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

/** The log of a data folder that no server uses; null where one does. Throws `no_data`, `data_damaged` and the like. */
export const openData = async (data: string): Promise<LevelUpdateLog | null> => {
  await checkData(data)
  try {
    return await LevelUpdateLog.open(data, Date.now, false)
  } catch (thrown) {
    const error = storeError(data, thrown)
    if (error.code === 'data_locked') return null
    throw error
  }
}

/** The owner's file of the server that uses the folder. Throws `data_locked` where it is unknown. */
export const ownerOf = async (data: string): Promise<OwnerFile> => {
  const owner = readOwner(data)
  if (owner?.url) return owner
  throw new ClawError(
    'data_locked',
    `${data} is in use by an unknown process`,
    'run this as the user of the server, or stop the server',
  )
}

export const backupByServer = async (data: string, dir: string): Promise<BackupSummary> => {
  const owner = await ownerOf(data)
  await askServer(owner, '/') // one that hangs is noticed
  return askServer<BackupSummary>(owner, '/api/admin/backup', { dir }, null)
}

/**
 * Reads the data of a server, running or not. Of one that runs it is a copy, made by way of a backup in a folder within the
 * data, where the server may write, that goes again; its blobs are the same files where they can be linked.
 */
export const withData = async <T>(
  data: string,
  read: (log: LevelUpdateLog, data: string) => Promise<T>,
): Promise<T> => {
  const own = await openData(data)
  if (own !== null) return read(own, data).finally(() => own.close())
  const within = await mkdtemp(join(data, '.copy-'))
  try {
    const copy = join(within, 'data')
    await backupByServer(data, join(within, 'backup'))
    await restoreBackup(join(within, 'backup'), copy, 'link', async () => {})
    const log = await LevelUpdateLog.open(copy, Date.now, false)
    return await read(log, copy).finally(() => log.close())
  } finally {
    await rm(within, { recursive: true, force: true })
  }
}
