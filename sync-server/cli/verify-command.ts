import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { counted } from '../../lib/text/count.ts'
import { ClawError } from '../../protocol/errors.ts'
import { restoreBackup } from '../ops/restore.ts'
import { withData } from '../ops/source.ts'
import { Report } from '../ops/verify/report.ts'
import { verifyData, verifyFolder } from '../ops/verify/verify.ts'
import { sizeOf } from '../storage/integrity/disk.ts'
import { DAMAGED_HINT, REPAIR_HINT, storeError } from '../storage/store-error.ts'
import type { Call, Command } from './call.ts'

export const verify: Command = async (call) => {
  const { data, json } = call
  const backup = call.value('backup')
  const path = backup === undefined ? null : resolve(backup)
  if (path !== null && (await sizeOf(path)) === null) {
    throw new ClawError('no_data', `${path} does not exist`, 'name the folder of a backup')
  }
  const report = await damageReported(() => (path === null ? ofData(data) : ofBackup(path)))
  print(call, path ?? data, report, json)
  return report.problems.length === 0 ? 0 : 1
}

const ofData = (data: string): Promise<Report> => withData(data, verifyData)

const ofBackup = async (backup: string): Promise<Report> => {
  const beside = await mkdtemp(join(tmpdir(), 'clawlink-verify-')).catch(({ code }) => {
    throw new ClawError(
      'data_unusable',
      `nothing can be unpacked in ${tmpdir()}: ${code}`,
      'set TMPDIR to a folder that you may write to',
    )
  })
  try {
    const copy = join(beside, 'data')
    await restoreBackup(backup, copy, 'link', async () => {})
    return await verifyFolder(copy)
  } finally {
    await rm(beside, { recursive: true, force: true })
  }
}

/** Data too damaged to open is a finding, not an error of the command. */
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
    const isDamaged = problems.some(({ kind }) => kind === 'damaged')
    const error =
      problems.length === 0
        ? null
        : new ClawError(
            'data_damaged',
            `${what} is ${isDamaged ? 'damaged' : 'invalid'}`,
            isDamaged ? DAMAGED_HINT : REPAIR_HINT,
          ).toBody()
    const data = { checked: what, ...counts, problems }
    print(`${JSON.stringify({ ok: error === null, data, ...(error && { error }) })}\n`)
    return
  }
  for (const { where, what, todo, kind } of problems)
    print(`${kind}  ${where}: ${what}\n         ${todo}\n`)
  const { workspaces, records, updates, archived, versions, blobs } = counts
  print(
    `${what}: ${counted(workspaces, 'workspace')}, ${counted(records, 'record')}, ${counted(updates, 'update')}, ${counted(archived, 'archived entry')}, ` +
      `${counted(versions, 'version')}, ${counted(blobs, 'blob')}: ${problems.length === 0 ? 'all well' : counted(problems.length, 'problem')}\n`,
  )
}
