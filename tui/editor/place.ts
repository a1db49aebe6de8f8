import type * as Y from 'yjs'
import { ClawError } from '../../protocol/errors.ts'
import type { FileId, FileKey } from '../../protocol/ids.ts'
import { checkFileKey } from '../../workspace/document/path.ts'
import { readFileEntry } from '../../workspace/document/shape.ts'
import { isBinary } from '../../workspace/files/blobs.ts'
import { findLeaf, idFor, keysByFileId } from '../../workspace/files/tree.ts'

/**
 * State of the opened file. `new`: the first edit creates it. `removed`: an edit restores it.
 * `replaced`: another text has its path, and no path leads to this one.
 */
export type FileState =
  | { kind: 'there' }
  | { kind: 'new' }
  | { kind: 'renamed'; to: FileKey }
  | { kind: 'removed'; by: string }
  | { kind: 'replaced' }
  | { kind: 'binary'; mediaType: string }
  | { kind: 'none'; why: string }

/** The text that a path leads to, or would. */
export const textIdOf = (doc: Y.Doc, path: string): FileId => {
  const key = path.normalize('NFC') as FileKey
  return findLeaf(doc, key)?.entry.fileId ?? idFor(doc, key)
}

/** The state of the text that was opened under this path. */
export const fileStateOf = (doc: Y.Doc, path: string, id: FileId): FileState => {
  const here = findLeaf(doc, path)
  if (here?.entry.fileId === id) {
    const { mediaType } = here.entry
    return isBinary(here.entry) ? { kind: 'binary', mediaType } : { kind: 'there' }
  }
  const entry = readFileEntry(doc, path.normalize('NFC'))
  if (entry === undefined) {
    try {
      checkFileKey(path)
      return { kind: 'new' }
    } catch (error) {
      return { kind: 'none', why: ClawError.from(error).message }
    }
  }
  // Looking at all files is left to the case where the path does not say it.
  const to = keysByFileId(doc).get(id)
  if (to !== undefined) return { kind: 'renamed', to }
  if (here !== null) return { kind: 'replaced' }
  return entry.fileId === id && entry.removed !== undefined
    ? { kind: 'removed', by: entry.removed.by }
    : { kind: 'new' }
}
