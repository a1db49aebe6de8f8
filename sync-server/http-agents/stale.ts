import type { AgentId, FileId, FileKey, TaskId } from '../../protocol/ids.ts'
import { MAX_TASK_LINKS, MAX_VERSION } from '../../protocol/limits.ts'
import { textOf } from '../../workspace/document/schema.ts'
import { authorsOf } from '../../workspace/files/authors.ts'
import { isBinary } from '../../workspace/files/blobs.ts'
import { newestEdit, versionOf } from '../../workspace/files/edit-counts.ts'
import {
  insertedBy,
  type ReadFile,
  type StaleFile,
  staleLines,
} from '../../workspace/files/stale.ts'
import { findLeaf } from '../../workspace/files/tree.ts'
import { findEntry, historyOf } from '../../workspace/tasks/tasks.ts'
import { readAbout } from '../history/versions/record.ts'
import { baseText } from './bases.ts'
import type { ActionContext } from './context.ts'
import type { Base } from './records.ts'

/** Versions whose editors are looked at (count): with more since, somebody else is taken to be among them. */
const MAX_LOOKED_AT = 256

/**
 * The files of which others changed what the agent of a request had read. `basis`: what it read; absent: what it read and
 * put by HTTP since it was granted the task. A file that is gone, or that only the agent itself changed, is none.
 */
export const staleIn = async (
  context: ActionContext,
  task: TaskId,
  basis: readonly ReadFile[] | undefined,
): Promise<StaleFile[]> => {
  const read = basis ?? (await readSince(context, grantedAt(context, task)))
  if (read.length === 0) return []
  await context.env.history.settled(context.httpAgent.room.name)
  const found = new Map<FileKey, StaleFile>()
  for (const one of read.slice(0, MAX_TASK_LINKS)) {
    const stale = await staleFile(context, one)
    if (stale === null) continue
    const known = found.get(stale.file_key)
    if (known === undefined) found.set(stale.file_key, stale)
    else found.set(stale.file_key, joined(known, stale))
  }
  return [...found.values()]
}

/** Two parts of one file that were read at different times. */
const joined = (a: StaleFile, b: StaleFile): StaleFile => {
  const lines: StaleFile['lines'] = []
  for (const one of [...a.lines, ...b.lines].sort((x, y) => x.from_line - y.from_line)) {
    const last = lines.at(-1)
    if (last !== undefined && one.from_line <= last.to_line + 1) {
      last.to_line = Math.max(last.to_line, one.to_line)
    } else lines.push({ ...one })
  }
  return { ...a, read_version: Math.min(a.read_version, b.read_version), lines }
}

/** When the agent got the task: its newest grant, else when it was created. Milliseconds since the epoch. */
const grantedAt = ({ httpAgent: { room, agent } }: ActionContext, task: TaskId): number => {
  const entry = findEntry(room.doc, task)
  if (entry === undefined) return Number.POSITIVE_INFINITY
  const granted = historyOf(entry).findLast(({ by, event }) => by === agent && event === 'claimed')
  return granted?.at ?? entry.facts.createdAt
}

const readSince = async ({ env, httpAgent }: ActionContext, since: number): Promise<ReadFile[]> => {
  const { drawer } = httpAgent
  const prefix = drawer.base('')
  const bases = await env.updateLog.facts.entries(prefix)
  return bases
    .map(({ key, json }) => ({ file_key: key.slice(prefix.length), ...(json as Base) }))
    .filter(({ at = Number.NEGATIVE_INFINITY }) => at >= since)
    .sort((a, b) => b.at! - a.at!)
    .map(({ file_key, version }) => ({ file_key, version }))
}

const staleFile = async (
  { env, httpAgent: { room, agent } }: ActionContext,
  { file_key, version, from_line, to_line }: ReadFile,
): Promise<StaleFile | null> => {
  const leaf = findLeaf(room.doc, file_key)
  if (leaf === null) return null
  const { fileId } = leaf.entry
  const now_version = versionOf(room.doc, fileId)
  if (now_version <= version) return null
  const stale: StaleFile = { file_key: leaf.key, read_version: version, now_version, lines: [] }
  if (isBinary(leaf.entry)) return newestEdit(room.doc, fileId)?.agent === agent ? null : stale
  if (!(await othersEdited(env, room.name, fileId, version, agent))) return null
  const before = await baseText(env, room, { fileId, version })
  if (before === null) return stale
  const after = await room.command((doc) => textOf(doc, fileId).toJSON())
  const { found } = await env.texts.run('delta', [before, after])
  const ranges = insertedBy(found.edits)
  const authors = await room.command((doc) =>
    textOf(doc, fileId).toJSON() === after
      ? authorsOf(
          doc,
          fileId,
          ranges.map((range) => [range]),
        )
      : null,
  )
  const isOwn = (i: number): boolean => {
    const by = authors?.[i] ?? []
    return by.length > 0 && by.every((one) => one === agent)
  }
  const read = from_line === undefined ? null : { from_line, to_line: to_line ?? from_line }
  const lines = staleLines(before, after, found.edits, read, isOwn)
  return lines.length === 0 ? null : { ...stale, lines }
}

/** Tells whether another agent has change sets among the kept versions after one. */
const othersEdited = async (
  { updateLog }: ActionContext['env'],
  workspace: string,
  fileId: FileId,
  version: number,
  agent: AgentId,
): Promise<boolean> => {
  const kept = await updateLog.versions.abouts(
    workspace,
    fileId,
    version + 1,
    MAX_VERSION,
    MAX_LOOKED_AT,
  )
  if (kept.length === MAX_LOOKED_AT) return true
  const editors = kept.map(({ about }) => readAbout(about).editors)
  // A version whose editors are not known may be anybody's.
  return editors.some((all) => all.length === 0 || all.some((one) => one !== agent))
}
