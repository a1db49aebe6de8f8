import * as Y from 'yjs'
import { checkDocument } from '../../../workspace/document/check.ts'
import {
  archivedBroadcasts,
  archivedTasks,
  metaOf,
  SCHEMA_VERSION,
} from '../../../workspace/document/schema.ts'
import { referencedBlobs } from '../../../workspace/files/blobs.ts'
import { readArchived } from '../../../workspace/inbox/archive.ts'
import { type ArchivedTask, readArchivedTask } from '../../../workspace/tasks/task-archive.ts'
import type { LevelUpdateLog } from '../../storage/level-update-log.ts'
import type { Shelf, Stored } from '../../storage/update-log.ts'
import { type Clocks, checkUpdate } from '../../sync/updates/check.ts'
import { docOf } from '../../sync/updates/document.ts'
import { disarm } from '../disarm.ts'
import { documentDigest } from './document-digest.ts'
import { RESTORE, type Report } from './report.ts'

/** Archived entries read at once (count), and their bytes. */
const PAGE = 1_000
const PAGE_BYTES = 4 * 1024 * 1024
/** Things of a workspace that break the grammar and are told one by one (count). */
const MOST_TOLD = 100

/** Checks a workspace's log and archive. Resolves to the blobs that it refers to; null: its document cannot be read. */
export const verifyWorkspace = async (
  log: LevelUpdateLog,
  workspace: string,
  report: Report,
): Promise<ReadonlySet<string> | null> => {
  const where = `workspace ${workspace}`
  const stored = await report.look(where, () => log.load(workspace))
  const writable = stored && verifyWritable(stored, where, report)
  const doc = writable && (await verifyUpdates(writable, where, report))
  if (doc !== null) {
    verifyMeta(doc, workspace, where, report)
    await report.look(where, () => void Y.encodeStateAsUpdate(doc))
    await verifyGrammar(doc, await log.owners(workspace), where, report)
    await report.look(`${where}, joined records`, () => verifyJoined(log, workspace, doc))
  }
  const ends = { broadcasts: 0, tasks: 0 }
  for (const shelf of ['broadcasts', 'tasks'] as const) {
    ends[shelf] = await verifyShelf(log, workspace, shelf, report)
  }
  if (doc === null) return null
  const said = { broadcasts: archivedBroadcasts(doc), tasks: archivedTasks(doc) }
  for (const shelf of ['broadcasts', 'tasks'] as const) {
    if (said[shelf] === ends[shelf]) continue
    report.problem(
      `${where}, archived ${shelf}`,
      `the document says that there are ${said[shelf]}; the archive ends at ${ends[shelf]}`,
    )
  }
  const blobs = await report.look(where, () => referencedBlobs(doc))
  doc.destroy()
  return blobs
}

/**
 * Checks that Yjs can read and write all that is stored, deleted parts included, since newcomers receive it. Returns
 * what is stored without the unwritable parts.
 */
const verifyWritable = (
  { checkpoint, tail, seq }: Stored,
  where: string,
  report: Report,
): Stored => {
  const writable = (stored: Uint8Array): Uint8Array => {
    try {
      const { update, taken } = disarm(stored)
      for (const { client, clock, reason } of taken) {
        report.invalid(where, `${reason}: operation ${clock} of Yjs client ${client}`)
      }
      return update
    } catch {
      return stored // a later step reports that it is not an update is found where it is applied
    }
  }
  return { checkpoint: checkpoint && writable(checkpoint), tail: tail.map(writable), seq }
}

const verifyGrammar = async (
  doc: Y.Doc,
  owners: ReadonlyMap<number, string>,
  where: string,
  report: Report,
): Promise<void> => {
  const problems = (await report.look(where, () => checkDocument(doc))) ?? []
  for (const { path, reason, client } of problems.slice(0, MOST_TOLD)) {
    report.invalid(`${where}, ${path}`, `${reason} (by ${owners.get(client) ?? 'nobody known'})`)
  }
  if (problems.length > MOST_TOLD) {
    report.invalid(where, `${problems.length - MOST_TOLD} more things break the grammar`)
  }
}

/** Each update decodes, and follows on what was before it; together they are the document. */
const verifyUpdates = async (
  { checkpoint, tail, seq }: Stored,
  where: string,
  report: Report,
): Promise<Y.Doc | null> => {
  const clocks: Clocks = new Map()
  const follows = (update: Uint8Array): void => {
    if (checkUpdate(update, clocks) === 'gap') throw new Error('it builds on what is not there')
  }
  if (checkpoint !== null) await report.look(`${where}, checkpoint`, () => follows(checkpoint))
  for (const [i, update] of tail.entries()) {
    report.counts.updates++
    const at = `${where}, update ${i + 1} of ${tail.length} after the checkpoint, up to record ${seq}`
    await report.look(at, () => follows(update))
  }
  return report.look(where, () => docOf({ checkpoint, tail, seq }, where))
}

/** Throws if readers would get another document than that of the records. */
const verifyJoined = async (
  log: LevelUpdateLog,
  workspace: string,
  expected: Y.Doc,
): Promise<void> => {
  const { single, ...stored } = await log.loadJoined(workspace)
  if (single !== null) return
  const doc = docOf(stored, `workspace ${workspace}`)
  const isSame = documentDigest(doc) === documentDigest(expected)
  doc.destroy()
  if (!isSame) throw new Error('they differ from the records')
}

const verifyMeta = (doc: Y.Doc, workspace: string, where: string, report: Report): void => {
  const version = metaOf(doc).get('schemaVersion')
  if (typeof version !== 'number' || version > SCHEMA_VERSION) {
    report.problem(
      where,
      `its document has layout ${version}; this version knows 1 to ${SCHEMA_VERSION}`,
      'use the version of clawlink-sync that wrote it',
    )
  }
  const name = metaOf(doc).get('workspaceId')
  if (name !== workspace) report.problem(where, `its document says that it is ${name}`)
}

/** Positions without a gap, each entry readable and found by its id. Resolves to the newest position. */
const verifyShelf = async (
  log: LevelUpdateLog,
  workspace: string,
  shelf: Shelf,
  report: Report,
): Promise<number> => {
  const where = `workspace ${workspace}, archived ${shelf}`
  let end = 0
  for (;;) {
    const page = await report.look(where, () =>
      log.archived(workspace, shelf, end, PAGE, PAGE_BYTES),
    )
    if (page === null || page.length === 0) break
    for (const { seq, value } of page) {
      report.counts.archived++
      if (seq !== end + 1) report.problem(where, `${end + 1} to ${seq - 1} are missing`, RESTORE)
      end = seq
      await report.look(`${where}, ${seq}`, async () => {
        const id = idOf(shelf, value)
        if (id === null) return
        const found = await log.archivePosition(workspace, shelf, id)
        // Of entries with the same id the newest is found.
        if (found === null || found < seq) throw new Error(`it is not found by its id, ${id}`)
      })
    }
  }
  return end
}

/** Throws where the entry cannot be read; null where it has no id. */
const idOf = (shelf: Shelf, value: Uint8Array): string | null => {
  if (shelf === 'broadcasts') return readArchived(value).entry?.id ?? null
  const task: ArchivedTask | null = readArchivedTask(value)
  if (task === null) throw new Error('the entry is not a task')
  return task.id
}
