import type * as Y from 'yjs'
import type { Edit, Lines, Merge } from '../../lib/merge/edits.ts'
import { merge3 } from '../../lib/merge/merge.ts'
import { byteLength } from '../../lib/text/bytes.ts'
import { isChanging } from '../../lib/yjs/internals.ts'
import { ClawError } from '../../protocol/errors.ts'
import type { AgentId, FileId, FileKey } from '../../protocol/ids.ts'
import { MAX_FILE_BYTES } from '../../protocol/limits.ts'
import { checkFileKey } from '../document/path.ts'
import { type EditCount, editsOf, filesOf, isoTime, textOf } from '../document/schema.ts'
import { isEditCount } from '../document/shape.ts'
import { MAX_COUNT } from '../document/values.ts'
import { blobVersions, isBinary, notText } from './blobs.ts'
import { indexEdits, partsOf } from './text-index.ts'
import {
  allFiles,
  checkAbsent,
  editCounts,
  findFile,
  getFile,
  idFor,
  keysOf,
  type Leaf,
  plant,
  uproot,
} from './tree.ts'

/** A shared file as every face shows it. */
export interface FileInfo {
  file_key: FileKey
  /** Change sets that it took to get here; the same on every replica that has the same changes. */
  version: number
  last_editor: AgentId
  updated_at: string
  /** Bytes; of text in UTF-8. */
  size: number
  media_type: string
  /** Of what is not text: the name of its newest version. */
  sha256?: string
}

export type FileContent = FileInfo & { content: string }

/** Lines (1-based, inclusive) of the new content that others had changed too, since the base. */
export interface FileConflict extends Lines {
  /** Ids of those others, joined by ", ". */
  by: string
}

export interface Put {
  key: string
  content: string
  /** The content that the writer changed; null: the writer has not seen the file. */
  base: string | null
  by: AgentId
  now: number
  /** Allows a put without a base to replace what is there. */
  force?: boolean
  /** There must be no file of this path. */
  isNew?: boolean
  /** Merges in place of `merge3`; what it throws comes before anything is changed. */
  merge?: (base: string, mine: string, theirs: string) => Merge
}

export interface PutResult {
  file: FileInfo
  changed: boolean
  created: boolean
  conflicts: FileConflict[]
  /** Lines of the file as it is now that this put changed, 1-based, inclusive; a removal is at the line after it. */
  lines: Lines[]
}

/** All files, by path; of those whose path begins with `prefix`. */
export const listFiles = (doc: Y.Doc, prefix = ''): FileInfo[] =>
  allFiles(doc, prefix).map((leaf) => infoOf(doc, leaf))

/** The same one by one: of the paths that there were at first, as each file is when it is its turn. */
export function* eachFile(doc: Y.Doc, prefix = ''): Generator<FileInfo> {
  const paths = [...filesOf(doc).keys()].filter((path) => path.startsWith(prefix))
  for (const path of paths.sort()) {
    const leaf = findFile(doc, path)
    if (leaf !== null) yield infoOf(doc, leaf)
  }
}

/** Throws `unknown_file`, with what to do next. */
export const fileInfo = (doc: Y.Doc, key: string): FileInfo => infoOf(doc, getFile(doc, key))

/** Throws `unknown_file`, with what to do next, and `not_text`. */
export const readFile = (doc: Y.Doc, key: string): FileContent => {
  const leaf = getFile(doc, key)
  if (isBinary(leaf.entry)) throw notText(leaf.key, leaf.entry.mediaType)
  return { ...infoOf(doc, leaf), content: textOf(doc, leaf.entry.fileId).toJSON() }
}

const infoOf = (doc: Y.Doc, { key, entry }: Leaf): FileInfo => {
  const newest = newestEdit(doc, entry.fileId)
  return {
    file_key: key,
    version: versionOf(doc, entry.fileId),
    last_editor: newest?.agent ?? entry.createdBy,
    updated_at: isoTime(newest?.at ?? entry.createdAt),
    media_type: entry.mediaType,
    ...(isBinary(entry) ? bytesOf(doc, entry.fileId) : { size: sizeOf(textOf(doc, entry.fileId)) }),
  }
}

/** Sizes of texts that have not changed since: a listing looks at all of them. */
const sizes = new WeakMap<Y.Text, number>()
const followed = new WeakSet<Y.Text>()

const sizeOf = (text: Y.Text): number => {
  // Nobody is told of a change before its transaction ends.
  const isChanged = isChanging(text)
  const known = sizes.get(text)
  if (known !== undefined && !isChanged) return known
  const size = byteLength(text.toJSON())
  if (isChanged) return size
  if (!followed.has(text)) text.observe(() => sizes.delete(text))
  followed.add(text)
  sizes.set(text, size)
  return size
}

const bytesOf = (doc: Y.Doc, id: FileId): { size: number; sha256?: string } => {
  const [newest] = blobVersions(doc, id)
  return newest === undefined ? { size: 0 } : { size: newest.size, sha256: newest.sha256 }
}

/** Tells path and version of the file whose content has an id; null where no path leads to it. */
export type VersionOf = (id: string) => { file_key: FileKey; version: number } | null

/** `VersionOf` for the document as it is now: asking for many files costs one look at all of them. */
export const fileVersions = (doc: Y.Doc): VersionOf => {
  let keys: Map<string, FileKey> | null = null
  return (id) => {
    keys ??= keysOf(doc)
    const file_key = keys.get(id)
    return file_key === undefined ? null : { file_key, version: versionOf(doc, id as FileId) }
  }
}

/** The change sets that a text has seen. A safe integer, whatever was counted. */
export const versionOf = (doc: Y.Doc, id: FileId): number =>
  Math.min(
    editCounts(doc, id).reduce((sum, [, { count }]) => sum + count, 0),
    Number.MAX_SAFE_INTEGER,
  )

/** The latest by the editors' clocks; of several, that of the highest client id, so that all replicas agree. */
const newestEdit = (doc: Y.Doc, id: FileId): EditCount | undefined => newestFirst(doc, id)[0]?.[1]

const newestFirst = (doc: Y.Doc, id: FileId): [string, EditCount][] =>
  editCounts(doc, id).sort(([a, { at }], [b, other]) => other.at - at || Number(b) - Number(a))

/** Who has changed the file, by Yjs client id (decimal), in the order of `newestEdit`. */
export const agentsOfEdits = (doc: Y.Doc, id: FileId): [string, AgentId][] =>
  newestFirst(doc, id).map(([client, { agent }]) => [client, agent])

/**
 * Brings the writer's change, from `base` to `content`, into the file as it is now, and creates it where there is
 * none. What others did since `base` stays (see `merge3`); what both changed is in `conflicts`. Throws `bad_path`,
 * `bad_text`, `too_large`, `not_text` where it would replace what is not text, `no_base` where the writer would
 * overwrite what it has not seen, and `file_exists` where the file was to be a new one.
 */
export const putFile = (doc: Y.Doc, put: Put): PutResult => {
  const key = checkFileKey(put.key)
  const content = checkContent(put.content)
  if (put.isNew === true) checkAbsent(doc, key)
  const there = findFile(doc, key)
  if (there !== null && isBinary(there.entry) && put.force !== true) {
    const { mediaType } = there.entry
    throw notText(key, mediaType, 'take another key, or replace it by your text with --force')
  }
  const found = there === null || isBinary(there.entry) ? null : there
  const fileId = there?.entry.fileId ?? idFor(doc, key)
  const text = textOf(doc, fileId)
  const current = found === null ? '' : text.toJSON()

  if (found !== null && put.base === null && put.force !== true && content !== current) {
    throw new ClawError(
      'no_base',
      `${key} exists and differs, and you have not read it`,
      'file-get it first, then put your change; or replace it with --force',
    )
  }
  const merged = (put.merge ?? merge3)(
    found === null ? '' : (put.base ?? current),
    content,
    current,
  )
  checkContent(merged.text)
  const wrote = authorsOf(
    doc,
    fileId,
    merged.conflicts.map(({ theirs }) => theirs),
  )
  const conflicts = merged.conflicts.map(({ from_line, to_line }, i) => {
    const authors = wrote[i]!
    if (authors.length === 0) authors.push(newestEdit(doc, fileId)?.agent ?? put.by)
    return { from_line, to_line, by: authors.join(', ') }
  })

  const changed = found === null || merged.edits.length > 0
  if (changed) {
    doc.transact(() => {
      if (found === null) {
        const { createdBy, createdAt } = there?.entry ?? { createdBy: put.by, createdAt: put.now }
        plant(doc, key, { fileId, mediaType: 'text/plain', createdBy, createdAt })
        text.delete(0, text.length) // what a removed file of this name had, or one that became bytes
      }
      applyToText(text, indexEdits(text, merged.edits))
      countEdit(doc, fileId, put.by, put.now)
    })
  }
  return {
    file: fileInfo(doc, key),
    changed,
    created: there === null,
    conflicts,
    lines: merged.lines,
  }
}

/**
 * Removes a file. An edit of it that is under way from somewhere else brings it back, whole and with that edit; a file
 * created there later goes on counting versions. Throws `unknown_file`, and `stale` where others changed it after
 * `known`, the version that the remover has read (null: it has read none).
 */
export const removeFile = (
  doc: Y.Doc,
  key: string,
  by: AgentId,
  now: number,
  known: number | null = null,
): void => {
  const leaf = getFile(doc, key)
  const { version, last_editor } = infoOf(doc, leaf)
  if (known !== null && version > known) {
    throw new ClawError(
      'stale',
      `${leaf.key} is at version ${version}, changed by ${last_editor}; you have read version ${known}`,
      'file-diff shows what changed; remove it anyway with --force',
    )
  }
  uproot(doc, leaf, by, now)
}

/**
 * Gives a file another path. Its text stays the same one, so edits that are under way to the old path, or are made
 * there by somebody who does not know yet, are in the file under its new path. Throws `unknown_file`, `bad_path`,
 * and `file_exists` where a file is in the way and `force` does not say to replace it.
 */
export const moveFile = (
  doc: Y.Doc,
  from: string,
  to: string,
  by: AgentId,
  now: number,
  force = false,
): FileInfo => {
  const leaf = getFile(doc, from)
  const key = checkFileKey(to)
  if (key === leaf.key) return infoOf(doc, leaf)
  const inTheWay = findFile(doc, key)
  if (inTheWay !== null && !force) {
    throw new ClawError(
      'file_exists',
      `there is a file ${key} already`,
      'take another name, or replace that file with --force',
    )
  }
  const { removed: _, line: __, ...entry } = leaf.entry
  doc.transact(() => {
    plant(doc, key, entry)
    if (inTheWay !== null) {
      const text = textOf(doc, inTheWay.entry.fileId)
      text.delete(0, text.length)
    }
    uproot(doc, leaf, by, now, key)
    countEdit(doc, entry.fileId, by, now)
  })
  return fileInfo(doc, key)
}

/** Counts one change set of this replica; belongs into the transaction of the change. */
export const countEdit = (doc: Y.Doc, id: FileId, agent: AgentId, at: number): void => {
  const edits = editsOf(doc, id)
  const client = String(doc.clientID)
  const known = edits.get(client)
  const count = Math.min((isEditCount(known) ? known.count : 0) + 1, MAX_COUNT)
  edits.set(client, { agent, count, at })
}

const checkContent = (content: string): string => {
  if (/\p{Surrogate}|\0/u.test(content)) {
    throw new ClawError(
      'bad_text',
      'the content is not text: it has a NUL or half a character (a lone surrogate) in it',
      'share text in UTF-8',
    )
  }
  const size = byteLength(content)
  if (size <= MAX_FILE_BYTES) return content
  throw new ClawError(
    'too_large',
    `the file would be ${size} bytes; the limit is ${MAX_FILE_BYTES}`,
    'split it into several files',
  )
}

/** One pass from the front: Y.Text finds its place once, not once an edit. */
const applyToText = (text: Y.Text, edits: readonly Edit[]): void => {
  const delta: ({ retain: number } | { delete: number } | { insert: string })[] = []
  let done = 0
  for (const { index, remove, insert } of edits) {
    if (index > done) delta.push({ retain: index - done })
    if (remove > 0) delta.push({ delete: remove })
    if (insert !== '') delta.push({ insert })
    done = index + remove
  }
  // Not `sanitize: false`: that, and not the default as its documentation has it, drops a line end that comes last.
  text.applyDelta(delta)
}

/** The agents, by id, who wrote the characters in these half-open ranges of a file's text. */
export const authorsIn = (doc: Y.Doc, id: FileId, ranges: readonly [number, number][]): AgentId[] =>
  authorsOf(doc, id, [ranges])[0]!

/** The same of several places, by one walk through the text; ranges of one place may touch those of others. */
const authorsOf = (
  doc: Y.Doc,
  id: FileId,
  places: readonly (readonly [number, number][])[],
): AgentId[][] => {
  const found = places.map(() => new Set<AgentId>())
  const ranges = places
    .flatMap((place, i) => place.map(([from, to]) => ({ from, to, authors: found[i]! })))
    .sort((a, b) => a.from - b.from)
  const edits = new Map(editCounts(doc, id))
  let open: typeof ranges = []
  let next = 0
  for (const { item, offset, units } of partsOf(textOf(doc, id))) {
    if (next === ranges.length && open.length === 0) break
    while (next < ranges.length && ranges[next]!.from < offset + units) open.push(ranges[next++]!)
    if (open.length > 0 && units > 0) {
      open = open.filter(({ to }) => to > offset)
      const author = edits.get(String(item.id.client))?.agent
      if (author !== undefined) for (const { authors } of open) authors.add(author)
    }
  }
  return found.map((authors) => [...authors].sort())
}
