import type * as Y from 'yjs'
import { byteLength } from '../../lib/text/bytes.ts'
import { isChanging } from '../../lib/yjs/internals.ts'
import type { AgentId, FileId, FileKey } from '../../protocol/ids.ts'
import { filesOf, isoTime, textOf } from '../document/schema.ts'
import { blobVersions, isBinary, notText } from './blobs.ts'
import { newestEdit, versionOf } from './edit-counts.ts'
import { allFiles, findLeaf, getFile, type Leaf } from './tree.ts'

/** A shared file as every face shows it. */
export interface FileInfo {
  file_key: FileKey
  /** Change sets in it (count); equal on all replicas with the same changes. */
  version: number
  last_editor: AgentId
  updated_at: string
  /** Bytes; of text in UTF-8. */
  size: number
  media_type: string
  /** Of a binary file: the name of its newest version. */
  sha256?: string
}

export type FileContent = FileInfo & { content: string }

/** The files whose path begins with `prefix`, by path. */
export const listFiles = (doc: Y.Doc, prefix = ''): FileInfo[] =>
  allFiles(doc, prefix).map((leaf) => infoOf(doc, leaf))

/** The files of the paths that there are now, one by one; each as it is when its turn comes. */
export const eachFile = function* (doc: Y.Doc, prefix = ''): Generator<FileInfo> {
  const paths = [...filesOf(doc).keys()].filter((path) => path.startsWith(prefix))
  for (const path of paths.sort()) {
    const leaf = findLeaf(doc, path)
    if (leaf !== null) yield infoOf(doc, leaf)
  }
}

/** Information on one file. Throws `unknown_file`. */
export const fileInfo = (doc: Y.Doc, key: string): FileInfo => infoOf(doc, getFile(doc, key))

/** One text file. Throws `unknown_file`, `not_text`. */
export const readFile = (doc: Y.Doc, key: string): FileContent => {
  const leaf = getFile(doc, key)
  if (isBinary(leaf.entry)) throw notText(leaf.key, leaf.entry.mediaType)
  return { ...infoOf(doc, leaf), content: textOf(doc, leaf.entry.fileId).toJSON() }
}

export const infoOf = (doc: Y.Doc, { key, entry }: Leaf): FileInfo => {
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

/** Sizes of unchanged texts: a listing asks for all of them. */
const sizes = new WeakMap<Y.Text, number>()
const followed = new WeakSet<Y.Text>()

const sizeOf = (text: Y.Text): number => {
  // Observers run only at the end of a transaction.
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
