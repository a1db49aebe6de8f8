import type * as Y from 'yjs'
import { didYouMean, nearestWord } from '../../lib/text/suggest.ts'
import { ClawError } from '../../protocol/errors.ts'
import type { AgentId, FileId, FileKey } from '../../protocol/ids.ts'
import { MAX_FILES } from '../../protocol/limits.ts'
import * as names from '../document/names.ts'
import * as records from '../document/records.ts'
import {
  type EditCount,
  editsOf,
  type FileEntry,
  filesOf,
  isoTime,
  textOf,
} from '../document/schema.ts'
import { fileEntries, isClientId, isEditCount, readFileEntry } from '../document/shape.ts'
import { must } from '../document/values.ts'

/**
 * The tree of paths and texts. A removed or renamed path keeps an entry: an edit that the remover
 * did not know of brings the file back, whole and with the edit, and a text keeps its id under a
 * new path.
 */

/** A file that is there. */
export interface Leaf {
  key: FileKey
  entry: FileEntry
}

/** The change sets of a text: client id (decimal) → count, author, and time of the last. */
export const editCounts = (doc: Y.Doc, id: FileId): [string, EditCount][] =>
  [...editsOf(doc, id)].filter(([client, edit]) => isClientId(client) && isEditCount(edit))

const isThere = (doc: Y.Doc, { fileId, removed }: FileEntry): boolean =>
  removed === undefined ||
  (removed.movedTo === undefined &&
    editCounts(doc, fileId).some(([client, { count }]) => count > (removed.edits[client] ?? 0)))

/** The file at this path; null: none. */
export const findLeaf = (doc: Y.Doc, typed: string): Leaf | null => {
  const key = typed.normalize('NFC') as FileKey
  const entry = readFileEntry(doc, key)
  return entry === undefined || !isThere(doc, entry) ? null : { key, entry }
}

/** The file at this path. Throws `unknown_file` with its new path, or with a did-you-mean. */
export const getFile = (doc: Y.Doc, typed: string): Leaf => {
  const found = findLeaf(doc, typed)
  if (found !== null) return found
  const removed = readFileEntry(doc, typed.normalize('NFC'))?.removed
  const next =
    removed === undefined
      ? nearFiles(doc, typed) || 'file-list shows what there is'
      : removed.movedTo === undefined
        ? `${removed.by} removed it at ${isoTime(removed.at)}; file-restore brings it back`
        : `${removed.by} renamed it to ${names.pathField(removed.movedTo)}`
  throw new ClawError('unknown_file', `no file "${typed}" in this workspace`, next)
}

/** Nearest paths that are checked for existence (count): some of them may be gone. */
const LOOKED_AT = 20

const nearFiles = (doc: Y.Doc, typed: string): string => {
  const near = nearestWord(typed, filesOf(doc).keys(), LOOKED_AT)
  return didYouMean(
    typed,
    near.filter((path) => findLeaf(doc, path) !== null),
  )
}

/** The files whose path begins with `prefix`, by path. */
export const allFiles = (doc: Y.Doc, prefix = ''): Leaf[] => {
  const files: Leaf[] = []
  for (const [path, entry] of fileEntries(doc)) {
    if (path.startsWith(prefix) && isThere(doc, entry)) files.push({ key: path as FileKey, entry })
  }
  return files.sort((a, b) => (a.key < b.key ? -1 : 1))
}

/** Renames that are followed to the path of a text (count): bounds a cycle of them. */
const MAX_MOVES = 100

/**
 * The own path of a text: the path it was created under, or the one that this was renamed to. Null:
 * it has none, or the path leads elsewhere. Other clients can make more paths lead to a text; none
 * of them replaces its own.
 */
export const ownPath = (doc: Y.Doc, id: string): FileKey | null => {
  let path = id.replace(/\/\/\d+$/, '')
  for (let moves = 0; moves < MAX_MOVES; moves++) {
    const entry = readFileEntry(doc, path)
    if (entry?.fileId !== id) return null
    if (isThere(doc, entry)) return path as FileKey
    const next = entry.removed?.movedTo
    if (next === undefined) return null
    path = next
  }
  return null
}

/** Text id → the path that leads to it: its own path, otherwise the first. */
export const keysByFileId = (doc: Y.Doc): Map<string, FileKey> => {
  const keys = new Map<string, FileKey>()
  for (const { key, entry } of allFiles(doc)) {
    const { fileId } = entry
    if (!keys.has(fileId)) keys.set(fileId, key)
    else keys.set(fileId, ownPath(doc, fileId) ?? keys.get(fileId)!)
  }
  return keys
}

/**
 * The id of the text for a file that is created at this path. Concurrent creators get the same one:
 * the path itself, or, where that text has moved to another path, the next id in its line.
 */
export const idFor = (doc: Y.Doc, key: FileKey): FileId => {
  const entry = readFileEntry(doc, key)
  if (entry === undefined) return key as string as FileId
  const { fileId, line = 0, removed } = entry
  return removed?.movedTo === undefined ? fileId : (`${key}//${line}` as FileId)
}

/** Makes the path lead to a text. Throws `too_large` at MAX_FILES. */
export const plant = (doc: Y.Doc, key: FileKey, entry: FileEntry): void => {
  const files = filesOf(doc)
  if (!files.has(key) && files.size >= MAX_FILES) {
    throw new ClawError(
      'too_large',
      `the workspace has ${files.size} files; the limit is ${MAX_FILES}`,
      'combine files, or use another workspace',
    )
  }
  const line = readFileEntry(doc, key)?.line
  files.set(key, must(records.fileEntryRule, line === undefined ? entry : { ...entry, line }, key))
}

/**
 * Removes a path; with `movedTo` its text continues there. Otherwise the text stays for a while
 * (`clearRemoved`), so that a concurrent edit finds it whole.
 */
export const uproot = (
  doc: Y.Doc,
  { key, entry }: Leaf,
  by: AgentId,
  at: number,
  movedTo?: FileKey,
): void => {
  const edits: { [client: string]: number } = {}
  for (const [client, { count }] of editCounts(doc, entry.fileId)) edits[client] = count
  const removed = { by, at, edits, ...(movedTo !== undefined && { movedTo }) }
  const line = (entry.line ?? 0) + (movedTo === undefined ? 0 : 1)
  const next = { ...entry, ...(line > 0 && { line }), removed }
  filesOf(doc).set(key, must(records.fileEntryRule, next, key))
}

/**
 * Clears the texts of files that were removed too long ago for concurrent edits. Returns how many.
 * Server only.
 */
export const clearRemoved = (doc: Y.Doc, before: number): number => {
  const keys = keysByFileId(doc)
  let cleared = 0
  for (const [, entry] of fileEntries(doc)) {
    const { fileId, removed } = entry
    if (removed === undefined || removed.movedTo !== undefined || removed.at >= before) continue
    const text = textOf(doc, fileId)
    if (text.length === 0 || keys.has(fileId)) continue
    text.delete(0, text.length)
    cleared++
  }
  return cleared
}

/** Throws `file_exists` where the path is taken. */
export const checkAbsent = (doc: Y.Doc, key: FileKey): void => {
  if (findLeaf(doc, key) === null) return
  throw new ClawError('file_exists', `${key} already exists`, 'choose another path')
}
