import type * as Y from 'yjs'
import type { LineRange, MergeResult, TextEdit } from '../../lib/merge/edits.ts'
import { merge3 } from '../../lib/merge/merge.ts'
import { byteLength } from '../../lib/text/bytes.ts'
import { ClawError } from '../../protocol/errors.ts'
import type { AgentId } from '../../protocol/ids.ts'
import { MAX_FILE_BYTES } from '../../protocol/limits.ts'
import { checkFileKey } from '../document/path.ts'
import { textOf } from '../document/schema.ts'
import { authorsOf } from './authors.ts'
import { isBinary, notText } from './blobs.ts'
import { countEdit, newestEdit } from './edit-counts.ts'
import { type FileInfo, fileInfo } from './file-info.ts'
import { indexEdits } from './text-index.ts'
import { checkAbsent, findLeaf, idFor, plant } from './tree.ts'

/** Lines (1-based, inclusive) of the new content that others had changed since the base as well. */
export interface FileConflict extends LineRange {
  /** Ids of these others, joined by ", ". */
  by: string
}

export interface FilePut {
  key: string
  content: string
  /** The content that the writer changed; null: the writer has not seen the file. */
  base: string | null
  by: AgentId
  now: number
  /** Allows a put without a base to replace the content. */
  force?: boolean
  /** Requires that the path is free. */
  isNew?: boolean
  /** Used in place of `merge3`; its errors come before anything is changed. */
  merge?: (base: string, mine: string, theirs: string) => MergeResult
}

export interface PutResult {
  file: FileInfo
  changed: boolean
  created: boolean
  conflicts: FileConflict[]
  /**
   * Lines of the new content that this put changed, 1-based, inclusive; a removal is at the line
   * after it.
   */
  lines: LineRange[]
}

/**
 * Merges the change from `base` to `content` into the file, and creates it where the path is free.
 * Changes of others since `base` stay (see `merge3`); lines that both changed are in `conflicts`.
 * Throws `bad_path`, `bad_text`, `too_large`, `not_text` where it would replace a binary file,
 * `no_base` where it would overwrite content that the writer has not read, and `file_exists` where
 * `isNew` and the path is taken.
 */
export const putFile = (doc: Y.Doc, put: FilePut): PutResult => {
  const key = checkFileKey(put.key)
  const content = checkContent(put.content)
  if (put.isNew === true) checkAbsent(doc, key)
  const there = findLeaf(doc, key)
  if (there !== null && isBinary(there.entry) && put.force !== true) {
    const { mediaType } = there.entry
    throw notText(key, mediaType, 'choose another key, or replace it by your text with --force')
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
        text.delete(0, text.length) // left by a removed file, or by one that became binary
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

/** Throws `bad_text`, `too_large`. */
export const checkContent = (content: string): string => {
  if (/\p{Surrogate}|\0/u.test(content)) {
    throw new ClawError(
      'bad_text',
      'the content is not text: it contains a NUL or a lone surrogate',
      'share text in UTF-8',
    )
  }
  checkSize(byteLength(content))
  return content
}

/** `size`: of a file's text in UTF-8 (bytes). Throws `too_large`. */
export const checkSize = (size: number): void => {
  if (size <= MAX_FILE_BYTES) return
  throw new ClawError(
    'too_large',
    `the file would be ${size} bytes; the limit is ${MAX_FILE_BYTES}`,
    'split it into several files',
  )
}

/** One delta: Y.Text finds its position once, not once per edit. */
const applyToText = (text: Y.Text, edits: readonly TextEdit[]): void => {
  const delta: ({ retain: number } | { delete: number } | { insert: string })[] = []
  let done = 0
  for (const { index, remove, insert } of edits) {
    if (index > done) delta.push({ retain: index - done })
    if (remove > 0) delta.push({ delete: remove })
    if (insert !== '') delta.push({ insert })
    done = index + remove
  }
  // Not `sanitize: false`: contrary to its documentation, that (and not the default) drops a final
  // line end.
  text.applyDelta(delta)
}
