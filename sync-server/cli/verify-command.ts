import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { counted } from '../../lib/text/count.ts'
import { ClawError } from '../../protocol/errors.ts'
import { parseWitness, type Witness } from '../../protocol/witness.ts'
import { restoreBackup } from '../ops/restore.ts'
import { withData } from '../ops/source.ts'
import { type Confirmed, Report } from '../ops/verify/report.ts'
import { verifyCopy, verifyData } from '../ops/verify/verify.ts'
import { sizeOf } from '../storage/integrity/disk.ts'
import { shownPlace } from '../storage/place.ts'
import { DAMAGED_HINT, REPAIR_HINT, storeError } from '../storage/store-error.ts'
import type { Call, Command } from './call.ts'

export const verify: Command = async (call) => {
  const { place, json } = call
  const backup = call.value('backup')
  const path = backup === undefined ? null : resolve(backup)
  if (path !== null && (await sizeOf(path)) === null) {
    throw new ClawError('no_data', `${path} does not exist`, 'name the folder of a backup')
  }
  const witnesses = await witnessesIn(call.value('witness'))
  const report = await damageReported(() =>
    path === null
      ? withData(place, (log, data) => verifyData(log, data, witnesses))
      : ofBackup(path, witnesses),
  )
  print(call, path ?? shownPlace(place), report, json)
  return report.problems.length === 0 ? 0 : 1
}

/** The witnesses in a file, one per line. Throws `no_such_local_file`, `bad_json`. */
const witnessesIn = async (file: string | undefined): Promise<Witness[]> => {
  if (file === undefined) return []
  const text = await readFile(file, 'utf8').catch(({ code }) => {
    throw new ClawError('no_such_local_file', `${file} cannot be read: ${code}`, 'check the path')
  })
  return text.split('\n').flatMap((line, i) => {
    if (line.trim() === '') return []
    const witness = parseWitness(line)
    if (witness !== null) return [witness]
    throw new ClawError(
      'bad_json',
      `line ${i + 1} of ${file} is not a witness`,
      'give the file that clawlink-agent record verify names, as it is',
    )
  })
}

const ofBackup = async (backup: string, witnesses: readonly Witness[]): Promise<Report> => {
  const beside = await mkdtemp(join(tmpdir(), 'clawlink-verify-')).catch(({ code }) => {
    throw new ClawError(
      'data_unusable',
      `nothing can be unpacked in ${tmpdir()}: ${code}`,
      'set TMPDIR to a folder that you may write to',
    )
  })
  try {
    const copy = { data: join(beside, 'data'), store: null }
    await restoreBackup(backup, copy, 'link', async () => {})
    return await verifyCopy(copy, witnesses)
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
  const { counts, problems, witnesses, notes } = report
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
    const data = { checked: what, ...counts, problems, witnesses, notes }
    print(`${JSON.stringify({ ok: error === null, data, ...(error && { error }) })}\n`)
    return
  }
  for (const note of notes) print(`note     ${note}\n`)
  for (const { workspace, seq, proves } of witnesses)
    print(`witness  ${said(workspace, seq, proves)}\n`)
  for (const { where, what, todo, kind } of problems)
    print(`${kind}  ${where}: ${what}\n         ${todo}\n`)
  const { workspaces, records, updates, archived, versions, blobs } = counts
  print(
    `${what}: ${counted(workspaces, 'workspace')}, ${counted(records, 'record')}, ${counted(updates, 'update')}, ${counted(archived, 'archived entry')}, ` +
      `${counted(versions, 'version')}, ${counted(blobs, 'blob')}: ${problems.length === 0 ? 'all well' : counted(problems.length, 'problem')}\n`,
  )
}

const said = (workspace: string, seq: number, proves: Confirmed['proves']): string =>
  proves === 'content'
    ? `workspace ${workspace}: what was stored up to record ${seq} is unchanged`
    : `workspace ${workspace}: record ${seq} and all before it are those of the chain; their content is in a newer checkpoint, which a newer witness proves`
