import type * as Y from 'yjs'
import { ClawError } from './errors.ts'
import type { AgentId, FileId, FileKey } from './ids.ts'
import { MAX_FILE_BYTES } from './limits.ts'
import { type Edit, merge3 } from './merge.ts'
import { checkFileKey } from './path.ts'
import { type EditCount, editsOf, type FileEntry, filesOf, isoTime, textOf } from './schema.ts'
import { fileEntries, fileEntry, isEditCount } from './shape.ts'
import { didYouMean } from './suggest.ts'
import { byteLength } from './validate.ts'

/** A shared file as every face shows it. */
export interface FileInfo {
  file_key: FileKey
  /** Change sets that it took to get here; the same on every replica that has the same changes. */
  version: number
  last_editor: AgentId
  updated_at: string
  /** UTF-8 bytes. */
  size: number
}

export type FileContent = FileInfo & { content: string }

/** Lines (1-based, inclusive) of the new content that others had changed too, since the base. */
export interface FileConflict {
  from_line: number
  to_line: number
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
}

export interface PutResult {
  file: FileInfo
  changed: boolean
  created: boolean
  conflicts: FileConflict[]
}

/** All files, by path. */
export const listFiles = (doc: Y.Doc): FileInfo[] =>
  [...fileEntries(doc)].map(([key]) => fileInfo(doc, key)).sort(byKey)

/** Throws `unknown_file` with a did-you-mean. */
export const fileInfo = (doc: Y.Doc, key: string): FileInfo => {
  const { content: _, ...info } = readFile(doc, key)
  return info
}

/** Throws `unknown_file` with a did-you-mean. */
export const readFile = (doc: Y.Doc, key: string): FileContent => {
  const found = findFile(doc, key)
  if (found === null) throw unknownFile(doc, key)
  const { entry } = found
  const content = textOf(doc, entry.fileId).toJSON()
  const newest = newestEdit(doc, entry.fileId)
  return {
    file_key: found.key,
    version: versionOf(doc, entry.fileId),
    last_editor: newest?.agent ?? entry.createdBy,
    updated_at: isoTime(newest?.at ?? entry.createdAt),
    size: byteLength(content),
    content,
  }
}

/** The path and version of the file whose content has this id; null where no path leads to it. */
export const fileVersion = (
  doc: Y.Doc,
  id: string,
): { file_key: FileKey; version: number } | null => {
  let key: string | null = null
  for (const [path, { fileId }] of fileEntries(doc)) {
    if (fileId === id && (key === null || path < key)) key = path
  }
  return key === null ? null : { file_key: key as FileKey, version: versionOf(doc, id as FileId) }
}

const versionOf = (doc: Y.Doc, id: FileId): number => {
  let version = 0
  for (const [, { count }] of editCounts(doc, id)) version += count
  return version
}

const editCounts = (doc: Y.Doc, id: FileId): [string, EditCount][] =>
  [...editsOf(doc, id)].filter(([, edit]) => isEditCount(edit))

const byKey = (a: FileInfo, b: FileInfo): number => (a.file_key < b.file_key ? -1 : 1)

/** The latest by the editors' clocks; of several, that of the highest client id, so that all replicas agree. */
const newestEdit = (doc: Y.Doc, id: FileId): EditCount | undefined =>
  [...editCounts(doc, id)]
    .sort(([a, { at }], [b, other]) => at - other.at || Number(a) - Number(b))
    .at(-1)?.[1]

/**
 * Brings the writer's change, from `base` to `content`, into the file as it is now, and creates it where there is
 * none. What others did since `base` stays (see `merge3`); what both changed is in `conflicts`. Throws `bad_path`,
 * `bad_text`, `too_large`, and `no_base` where the writer would overwrite what it has not seen.
 */
export const putFile = (doc: Y.Doc, put: Put): PutResult => {
  const key = checkFileKey(put.key)
  const content = checkContent(put.content)
  const found = findFile(doc, key)
  const fileId = found?.entry.fileId ?? (key as string as FileId)
  const text = textOf(doc, fileId)
  const current = text.toJSON()

  if (found !== null && put.base === null && put.force !== true && content !== current) {
    throw new ClawError(
      'no_base',
      `${key} exists and differs, and you have not read it`,
      'file-get it first, then put your change; or replace it with --force',
    )
  }
  // A file that is not there may have text: edits that came in after its removal, which nobody is to lose.
  const base = found === null ? '' : (put.base ?? current)
  const merged = merge3(base, content, current)
  checkContent(merged.text)
  const conflicts = merged.conflicts.map(({ from_line, to_line, theirs }) => {
    const authors = authorsOf(doc, fileId, theirs)
    if (authors.length === 0) authors.push(newestEdit(doc, fileId)?.agent ?? put.by)
    return { from_line, to_line, by: authors.join(', ') }
  })

  const changed = found === null || merged.edits.length > 0
  if (changed) {
    doc.transact(() => {
      if (found === null) {
        const { by: createdBy, now: createdAt } = put
        filesOf(doc).set(key, { fileId, mediaType: 'text/plain', createdBy, createdAt })
      }
      applyToText(text, merged.edits)
      countEdit(doc, fileId, put.by, put.now)
    })
  }
  return { file: fileInfo(doc, key), changed, created: found === null, conflicts }
}

/** Drops the path and the text; a file created there later goes on counting versions. Throws `unknown_file`. */
export const removeFile = (doc: Y.Doc, key: string, by: AgentId, now: number): void => {
  const found = findFile(doc, key)
  if (found === null) throw unknownFile(doc, key)
  const { fileId } = found.entry
  doc.transact(() => {
    filesOf(doc).delete(found.key)
    const text = textOf(doc, fileId)
    text.delete(0, text.length)
    countEdit(doc, fileId, by, now)
  })
}

/** Counts one change set of this replica; belongs into the transaction of the change. */
export const countEdit = (doc: Y.Doc, id: FileId, agent: AgentId, at: number): void => {
  const edits = editsOf(doc, id)
  const client = String(doc.clientID)
  const known = edits.get(client)
  edits.set(client, { agent, count: (isEditCount(known) ? known.count : 0) + 1, at })
}

const findFile = (doc: Y.Doc, typed: string): { key: FileKey; entry: FileEntry } | null => {
  const key = typed.normalize('NFC') as FileKey
  const entry = fileEntry(doc, key)
  return entry === undefined ? null : { key, entry }
}

const unknownFile = (doc: Y.Doc, key: string): ClawError =>
  new ClawError(
    'unknown_file',
    `no file "${key}" in this workspace`,
    didYouMean(
      key,
      [...fileEntries(doc)].map(([path]) => path),
    ) || 'file-list shows what there is',
  )

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
const authorsOf = (doc: Y.Doc, id: FileId, ranges: readonly [number, number][]): AgentId[] => {
  const edits = new Map(editCounts(doc, id))
  const authors = new Set<AgentId>()
  let index = 0
  for (let item = textOf(doc, id)._start; item !== null; item = item.right) {
    if (item.deleted || !item.countable) continue
    const end = index + item.length
    if (ranges.some(([from, to]) => from < end && index < to)) {
      const author = edits.get(String(item.id.client))?.agent
      if (author !== undefined) authors.add(author)
    }
    index = end
  }
  return [...authors].sort()
}
