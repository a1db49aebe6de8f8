import { resolve } from 'node:path'
import { counted } from '../../lib/text/count.ts'
import { writeBackup } from '../ops/backup.ts'
import { noteBackup } from '../ops/host/status.ts'
import { type BackupSummary, summaryOf } from '../ops/manifest.ts'
import { backupByServer, openData } from '../ops/source.ts'
import { type Place, shownPlace } from '../storage/place.ts'
import { storeError } from '../storage/store-error.ts'
import type { Command } from './call.ts'
import { jsonOf, sizeText } from './command.ts'

export const backup: Command = async (call) => {
  const { place, json } = call
  const dir = resolve(call.value('dir')!)
  const summary = await make(place, dir, call.version)
  call.print(json ? jsonOf({ dir, ...summary }) : `${textOf(dir, summary)}\n`)
  return 0
}

const make = async (place: Place, dir: string, version: string): Promise<BackupSummary> => {
  const log = await openData(place)
  if (log === null) return backupByServer(place, dir)
  const { data } = place
  try {
    const records = () => log.records()
    const made = summaryOf(await writeBackup({ data, records, version, now: Date.now }, dir))
    await noteBackup(data, dir, made)
    return made
  } catch (error) {
    throw storeError(shownPlace(place), error)
  } finally {
    await log.close()
  }
}

const textOf = (dir: string, made: BackupSummary): string =>
  `backed up ${counted(made.workspaces, 'workspace')} into ${dir}: ${counted(made.records, 'record')} (${sizeText(made.bytes)}), ` +
  `${counted(made.blobs, 'blob')} (${sizeText(made.blob_bytes)}), as of ${made.at}`
