import type * as Y from 'yjs'
import { merge3 } from '../../lib/merge/merge.ts'
import { ClawError } from '../../protocol/errors.ts'
import type { AgentId, FileId, FileKey } from '../../protocol/ids.ts'
import type { MergeTexts } from '../../workspace/actions/action.ts'
import { writeText } from '../../workspace/actions/write-text.ts'
import { textOf } from '../../workspace/document/schema.ts'
import { blobVersions, isBinary } from '../../workspace/files/blobs.ts'
import {
  type CheckpointFile,
  changesBetween,
  type FileChange,
  type FileChangeKind,
  pathOf,
} from '../../workspace/files/checkpoint.ts'
import { versionOf } from '../../workspace/files/edit-counts.ts'
import { moveFile, removeFile } from '../../workspace/files/move-file.ts'
import { putBlob } from '../../workspace/files/put-blob.ts'
import type { FileConflict } from '../../workspace/files/put-file.ts'
import { findLeaf, keysByFileId } from '../../workspace/files/tree.ts'
import { RESTORE_FILES, RESTORE_UNITS } from '../config/limits.ts'
import { textOfFile } from '../history/checkpoints/compare.ts'
import { type ActionContext, registered } from './context.ts'
import { keptAnswer, writeDigest } from './kept-answers.ts'
import { merging } from './merging.ts'
import type { Answered } from './records.ts'

/** A file that was brought back, or would be. */
export interface RestoredFile {
  file_key: FileKey
  change: FileChangeKind
  /** Its version after that; before it in a dry run, and of a removed file null. */
  version: number | null
  /** Absent of a binary file. */
  added_lines?: number
  removed_lines?: number
  /** Lines that others changed in the meantime and that differ from what was restored. */
  conflicts?: FileConflict[]
}

/** A file that stays as it is, and why. */
export interface SkippedFile {
  file_key: FileKey
  why: string
}

export interface RestoreOutcome {
  restored: RestoredFile[]
  skipped: SkippedFile[]
}

/** A file to bring back, with all that its turn needs. */
interface Item {
  change: FileChange
  /** The text to bring back, and the one that it replaces; null: it is not text, or not there. */
  text: string | null
  base: string | null
  /** Of a blob to bring back (bytes); null: none. */
  size: number | null
  lines: { added_lines: number; removed_lines: number } | null
}

/**
 * Makes files what they were, as changes in the agent's name, a batch per turn of the room. What others change from the
 * call on is merged, as with a put. A file that is not in `then` is removed, unless others change it. The files whose old
 * state is not kept any more stay as they are, in `skipped`. `isDry` changes nothing. Throws `not_registered`, `quota`.
 */
export const restoreFiles = async (
  context: ActionContext,
  now: readonly CheckpointFile[],
  then: readonly CheckpointFile[],
  isDry: boolean,
): Promise<RestoreOutcome> => {
  if (!isDry) registered(context.httpAgent)
  const outcome: RestoreOutcome = { restored: [], skipped: [] }
  const changes = changesBetween(now, then)
  // Removals first: they free paths.
  const isRemoval = ({ change }: FileChange): boolean => change === 'removed'
  const ordered = [...changes.filter(isRemoval), ...changes.filter((one) => !isRemoval(one))]
  let batch: Item[] = []
  let units = 0
  const flush = async (): Promise<void> => {
    if (batch.length > 0) await writeBatch(context, batch, outcome)
    batch = []
    units = 0
  }
  for (const change of ordered) {
    const item = await itemOf(context, change, outcome)
    if (item === null) continue
    if (isDry) {
      outcome.restored.push(shown(item, kindOf(item), change.from?.version ?? null))
      continue
    }
    batch.push(item)
    units += (item.text?.length ?? 0) + (item.base?.length ?? 0)
    if (batch.length >= RESTORE_FILES || units >= RESTORE_UNITS) await flush()
  }
  await flush()
  return outcome
}

/** Runs `work` once under the request's key: a repeat gets the first answer. Throws `key_reused`, and what `work` throws. */
export const onceUnderKey = async <T extends object>(
  { env, httpAgent, key }: ActionContext,
  what: string,
  payload: unknown,
  work: () => Promise<T>,
): Promise<T> => {
  if (key === null) return work()
  const digest = writeDigest(what, payload)
  const known = (await env.updateLog.facts.get(httpAgent.drawer.answer(key))) as Answered | null
  const before = keptAnswer(key, { what, digest }, known)
  if (before !== null) return before as T
  const answer = await work()
  // It only keeps the answer, which a full workspace accepts, too.
  return httpAgent.writeNow({ key, what, payload, frees: () => true }, () => answer)
}

/** Null: there is nothing to do, or it is skipped. */
const itemOf = async (
  { env, httpAgent: { room } }: ActionContext,
  change: FileChange,
  { skipped }: RestoreOutcome,
): Promise<Item | null> => {
  const { from, to } = change
  const none = { change, text: null, base: null, size: null, lines: null }
  if (to === null) return none
  try {
    const base = from === null || from.sha256 !== undefined ? null : await textNow(room, from.id)
    if (to.sha256 !== undefined) {
      const isSame = from?.sha256 === to.sha256
      if (isSame) return from?.path === to.path ? null : none
      const size = await env.blobs.size(room.name, to.sha256)
      if (size !== null) return { ...none, size }
      skipped.push({ file_key: to.path, why: 'its bytes are not kept any more' })
      return null
    }
    const text = await textOfFile(env.updateLog.versions, room.name, to)
    if (base === text) return from?.path === to.path ? null : none
    const { found } = await env.texts.run('delta', [base ?? '', text])
    const lines = { added_lines: found.addedLines, removed_lines: found.removedLines }
    return { ...none, text, base, lines }
  } catch (error) {
    if (!(error instanceof ClawError)) throw error
    skipped.push({ file_key: pathOf(change), why: error.message })
    return null
  }
}

const textNow = (room: ActionContext['httpAgent']['room'], id: FileId): Promise<string> =>
  room.command((doc) => textOf(doc, id).toJSON())

/** A file that has its content already only moves. */
const kindOf = ({ change: { change }, text, size }: Item): FileChangeKind =>
  change === 'changed' && text === null && size === null ? 'moved' : change

const shown = (
  { change, lines }: Item,
  kind: FileChangeKind,
  version: number | null,
): RestoredFile => ({ file_key: pathOf(change), change: kind, version, ...lines })

const writeBatch = async (
  { env, httpAgent }: ActionContext,
  batch: readonly Item[],
  outcome: RestoreOutcome,
): Promise<void> => {
  const grown = batch.reduce((sum, { text, base }) => sum + lengthOf(text) - lengthOf(base), 0)
  const write = { key: null, what: 'restore', payload: null, frees: () => grown < 0 }
  const done = await merging(
    env.texts,
    (ms) => httpAgent.spent(ms),
    (merge) =>
      httpAgent.writeNow(write, ({ doc }) => {
        // All merges come first: one that takes too long throws, and nothing is written yet.
        const merged = batch.map((item) => mergeOf(doc, item, merge))
        const keys = keysByFileId(doc)
        return {
          files: batch.map((item, i) =>
            apply(doc, item, merged[i]!, keys, httpAgent.agent, env.now()),
          ),
        }
      }),
  )
  for (const one of done.files) {
    if (one === null) continue
    if ('why' in one) outcome.skipped.push(one)
    else outcome.restored.push(one)
  }
}

const lengthOf = (text: string | null): number => text?.length ?? 0

/** The merge of an item with the text as it is now, made in advance; null: there is none to make. */
const mergeOf = (
  doc: Y.Doc,
  { change: { from }, text, base }: Item,
  merge: MergeTexts,
): MergeTexts | null => {
  if (text === null || base === null || from === null) return null
  const current = textOf(doc, from.id).toJSON()
  const made = merge(base, text, current)
  return (...of) => (of[0] === base && of[2] === current ? made : merge3(...of))
}

const apply = (
  doc: Y.Doc,
  item: Item,
  merge: MergeTexts | null,
  keys: ReadonlyMap<string, FileKey>,
  by: AgentId,
  now: number,
): RestoredFile | SkippedFile | null => {
  const { from, to } = item.change
  try {
    const path = from === null ? null : (keys.get(from.id) ?? null)
    if (to === null) return remove(doc, item, path, by, now)
    if (path === null && findLeaf(doc, to.path) !== null) {
      return { file_key: to.path, why: 'another file is at its path now' }
    }
    let key = path ?? to.path
    let change: FileChangeKind = path === null ? 'added' : 'changed'
    if (key !== to.path && findLeaf(doc, to.path) === null) {
      moveFile(doc, key, to.path, by, now)
      key = to.path
      change = 'moved'
    }
    const file = bringBack(doc, { ...item, to }, key, merge, by, now)
    if (file === null && change !== 'moved') {
      return key === to.path ? null : { file_key: key, why: `another file is at ${to.path} now` }
    }
    const kind = file === null ? change : change === 'moved' ? 'changed' : change
    const id = findLeaf(doc, key)!.entry.fileId
    return { ...shown(item, kind, versionOf(doc, id)), file_key: key, ...file }
  } catch (error) {
    if (!(error instanceof ClawError)) throw error
    return { file_key: pathOf(item.change), why: error.message }
  }
}

const remove = (
  doc: Y.Doc,
  item: Item,
  path: FileKey | null,
  by: AgentId,
  now: number,
): RestoredFile | null => {
  if (path === null) return null
  removeFile(doc, path, by, now, item.change.from!.version)
  return { ...shown(item, 'removed', null), file_key: path }
}

/** Puts the old content; null: there is none to put. */
const bringBack = (
  doc: Y.Doc,
  { to, text, base, size }: Item & { to: CheckpointFile },
  key: FileKey,
  merge: MergeTexts | null,
  by: AgentId,
  now: number,
): Pick<RestoredFile, 'conflicts'> | null => {
  const leaf = findLeaf(doc, key)
  if (text !== null) {
    const force = leaf !== null && isBinary(leaf.entry)
    const merging = merge === null ? {} : { merge }
    const put = {
      key,
      content: text,
      base: leaf === null ? null : base,
      by,
      now,
      force,
      ...merging,
    }
    const { result } = writeText(doc, put)
    return result.conflicts.length > 0 ? { conflicts: result.conflicts } : {}
  }
  if (to.sha256 === undefined || size === null) return null
  const known = leaf === null ? null : (blobVersions(doc, leaf.entry.fileId)[0]?.sha256 ?? null)
  putBlob(doc, { key, sha256: to.sha256, size, known, by, now, force: true })
  return {}
}
