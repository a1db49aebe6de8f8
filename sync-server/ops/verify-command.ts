import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ClawError } from '../../workspace/errors.ts'
import type { Call, Command } from '../commands.ts'
import { COMMON_HELP, readCall } from './command.ts'
import { Report } from './report.ts'
import { restoreBackup } from './restore.ts'
import { withData } from './source.ts'
import { DAMAGED_HINT, storeError } from './store-error.ts'
import { verifyData, verifyFolder } from './verify.ts'

const HELP = `usage: clawlink-sync verify [BACKUP] [--data DIR] [--json]

Checks every record of the data folder, or of a backup: that it is what was written, that every document, archived entry
and version of a file comes of it, and that blobs are what they are named. Says what is wrong, where, and what to do;
exit 0: nothing is, 1: something is. A server that runs is asked for a copy, which goes again; a backup is unpacked
below TMPDIR.

${COMMON_HELP}
examples:
  clawlink-sync verify
  clawlink-sync verify /var/backups/clawlink/2026-01-31
`

export const verify: Command = async (call) => {
  const given = readCall(call, { help: HELP, flags: {}, needs: null })
  if (given === null) return 0
  const { data, path, json } = given
  const report = await damageReported(() => (path === null ? ofData(data) : ofBackup(path)))
  print(call, path ?? data, report, json)
  return report.problems.length === 0 ? 0 : 1
}

const ofData = (data: string): Promise<Report> => withData(data, verifyData)

const ofBackup = async (backup: string): Promise<Report> => {
  const beside = await mkdtemp(join(tmpdir(), 'clawlink-verify-'))
  try {
    const copy = join(beside, 'data')
    await restoreBackup(backup, copy, 'link', async () => {})
    return await verifyFolder(copy)
  } finally {
    await rm(beside, { recursive: true, force: true })
  }
}

/** That something is so damaged that it cannot be opened is what was asked for, too. */
const damageReported = async (verified: () => Promise<Report>): Promise<Report> => {
  try {
    return await verified()
  } catch (thrown) {
    const error = storeError('the data', thrown)
    if (error.code !== 'data_damaged' && error.code !== 'bad_backup') throw error
    const report = new Report()
    report.problem('all of it', error.message, error.hint || DAMAGED_HINT)
    return report
  }
}

const print = ({ print }: Call, what: string, report: Report, json: boolean): void => {
  const { counts, problems } = report
  if (json) {
    const error =
      problems.length === 0
        ? null
        : new ClawError('data_damaged', `${what} is damaged`, DAMAGED_HINT).toBody()
    const data = { checked: what, ...counts, problems }
    print(`${JSON.stringify({ ok: error === null, data, ...(error && { error }) })}\n`)
    return
  }
  for (const { where, what, todo } of problems)
    print(`damaged  ${where}: ${what}\n         ${todo}\n`)
  const { workspaces, records, updates, archived, versions, blobs } = counts
  print(
    `${what}: ${workspaces} workspaces, ${records} records, ${updates} updates, ${archived} archived entries, ` +
      `${versions} versions, ${blobs} blobs: ${problems.length === 0 ? 'all well' : `${problems.length} problems`}\n`,
  )
}
