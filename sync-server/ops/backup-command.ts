import type { Command } from '../commands.ts'
import { writeBackup } from './backup.ts'
import { COMMON_HELP, jsonOf, readCall, sizeText } from './command.ts'
import { type BackupSummary, summaryOf } from './routes.ts'
import { backupByServer, openData } from './source.ts'
import { storeError } from './store-error.ts'

const HELP = `usage: clawlink-sync backup DIR [--data DIR] [--json]

Writes everything, as it is at one moment, into DIR, which must be new or empty. A server that runs goes on
serving: it makes the backup itself, so DIR is written with its rights. DIR gets its name when the backup is whole.

${COMMON_HELP}
examples:
  clawlink-sync backup /var/backups/clawlink/$(date +%F)
`

export const backup: Command = async (call) => {
  const given = readCall(call, { help: HELP, flags: {}, needs: 'the folder for the backup' })
  if (given === null) return 0
  const { data, json } = given
  const dir = given.path!
  const summary = await make(data, dir, call.version)
  call.print(json ? jsonOf({ dir, ...summary }) : `${textOf(dir, summary)}\n`)
  return 0
}

const make = async (data: string, dir: string, version: string): Promise<BackupSummary> => {
  const log = await openData(data)
  if (log === null) return backupByServer(data, dir)
  try {
    const records = () => log.records()
    return summaryOf(await writeBackup({ data, records, version, now: Date.now }, dir))
  } catch (error) {
    throw storeError(data, error)
  } finally {
    await log.close()
  }
}

const textOf = (dir: string, made: BackupSummary): string =>
  `backed up ${made.workspaces} workspaces into ${dir}: ${made.records} records (${sizeText(made.bytes)}), ` +
  `${made.blobs} blobs (${sizeText(made.blob_bytes)}), as of ${made.at}`
