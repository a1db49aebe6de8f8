import type { Witness } from '../../../protocol/witness.ts'
import { Checkpoints } from '../../history/checkpoints/store.ts'
import { StoredBlobs } from '../../storage/blobs/stored-blobs.ts'
import { unsealed } from '../../storage/integrity/checksummed.ts'
import { LevelUpdateLog } from '../../storage/level-update-log.ts'
import { logOn, openStore } from '../../storage/open-log.ts'
import type { Place } from '../../storage/place.ts'
import { Report } from './report.ts'
import { verifyAttribution } from './verify-attribution.ts'
import { verifyBlobs } from './verify-blobs.ts'
import { checkFact } from './verify-facts.ts'
import { verifyRecord } from './verify-record.ts'
import { verifyVersions } from './verify-versions.ts'
import { verifyWorkspace } from './verify-workspace.ts'

/** The kinds of keys there are: level-update-log.ts. */
const KNOWN = /^(?:f:|[uswaimhvcokjlrgnxtyqbdpez]:.)/
/** The kinds whose values are JSON. */
const FACTS = /^[kjlrgntybpe]:/
/** Keys that begin with a kind and a workspace, or a workspace's shelf. */
const OF_WORKSPACE = /^[uswaimhvcogxtybdpz]:([^:/]+)/

/** Checks a data folder that no server uses. Rejects if it cannot be opened. */
export const verifyFolder = async (
  data: string,
  witnesses: readonly Witness[] = [],
): Promise<Report> => {
  const log = await LevelUpdateLog.open(data, Date.now, false)
  return verifyData(log, data, witnesses).finally(() => log.close())
}

/** Checks a copy that was just made of a backup, and upgrades one of an older format. Throws like `openStore`. */
export const verifyCopy = async (
  place: Place,
  witnesses: readonly Witness[] = [],
): Promise<Report> => {
  const log = await logOn(place, await openStore(place, 'takeFree', true), Date.now)
  return verifyData(log, place.data, witnesses).finally(() => log.close())
}

/**
 * Checks every record: its checksum, the sequence of updates, the documents, archives and file versions built from
 * them, the digests of blobs, the hash chains, and that these have the heads of the witnesses.
 */
export const verifyData = async (
  log: LevelUpdateLog,
  data: string,
  witnesses: readonly Witness[] = [],
): Promise<Report> => {
  const report = new Report()
  const { workspaces, versionKeys } = await verifyRecords(log, report)
  const checkpoints = new Checkpoints(log.facts)
  const wanted = new Map<string, ReadonlySet<string>>()
  for (const workspace of [...workspaces].sort()) {
    report.counts.workspaces++
    const blobs = await verifyWorkspace(log, workspace, report)
    const pinned = await report.look(`workspace ${workspace}, checkpoints`, () =>
      checkpoints.pinnedBlobs(workspace),
    )
    wanted.set(workspace, new Set([...(blobs ?? []), ...(pinned ?? [])]))
    await verifyAttribution(log, workspace, report)
    await verifyVersions(log, workspace, versionKeys.get(workspace) ?? 0, report)
    const about = witnesses.filter((witness) => witness.workspace === workspace)
    await verifyRecord(log, workspace, about, report)
  }
  for (const { workspace, seq } of witnesses) {
    if (workspaces.has(workspace)) continue
    report.problem(
      `workspace ${shown(workspace)}`,
      `it is missing; a witness saw its record ${seq}`,
    )
  }
  const { db, put } = log.derived
  await verifyBlobs(data, new StoredBlobs(db, put, Date.now), wanted, report)
  return report
}

/** Reads every stored value; returns the workspaces and the number of version keys of each. */
const verifyRecords = async (log: LevelUpdateLog, report: Report) => {
  const workspaces = new Set<string>()
  const named = new Set<string>()
  const versionKeys = new Map<string, number>()
  for await (const [key, value] of log.records()) {
    report.counts.records++
    if (!KNOWN.test(key)) report.problem(`key ${shown(key)}`, 'it is of no known kind')
    const plain = unsealed(value)
    if (plain === null) report.problem(`key ${shown(key)}`, 'its checksum is wrong')
    else if (FACTS.test(key)) {
      const read = () => checkFact(key, JSON.parse(Buffer.from(plain).toString()))
      await report.look(`key ${shown(key)}`, read)
    }
    const workspace = OF_WORKSPACE.exec(key)?.[1]
    if (workspace === undefined) continue
    workspaces.add(workspace)
    if (key.startsWith('w:')) named.add(workspace)
    if (/^[vc]:/.test(key)) versionKeys.set(workspace, (versionKeys.get(workspace) ?? 0) + 1)
  }
  for (const workspace of workspaces) {
    if (!named.has(workspace)) {
      report.problem(`workspace ${shown(workspace)}`, 'it is not in the list of workspaces')
    }
  }
  return { workspaces, versionKeys }
}

/** A key, which damage can have made anything. */
const shown = (key: string): string => JSON.stringify(key.slice(0, 200)).slice(1, -1)
