import type * as Y from 'yjs'
import { ClawError } from '../../protocol/errors.ts'
import type { AgentId, FileKey } from '../../protocol/ids.ts'
import { MAX_BLOB_BYTES } from '../../protocol/limits.ts'
import { checkFileKey } from '../document/path.ts'
import { blobEntry } from '../document/records.ts'
import { blobsOf, type FileEntry, textOf } from '../document/schema.ts'
import { must } from '../document/values.ts'
import { type BlobInfo, type BlobVersion, blobInfo, blobVersions, isBinary } from './blobs.ts'
import { countEdit } from './edit-counts.ts'
import { type FileInfo, fileInfo } from './file-info.ts'
import { mediaTypeOf } from './media-type.ts'
import { checkAbsent, findLeaf, idFor, plant } from './tree.ts'

export interface PutBlob {
  key: string
  sha256: string
  size: number
  /** Name of the version that the writer has read; null: none. */
  known: string | null
  by: AgentId
  now: number
  /** Allows replacing a version that the writer has not read, and a text file. */
  force?: boolean
  /** Requires that the path is free. */
  isNew?: boolean
}

export interface PutBlobResult {
  file: FileInfo
  changed: boolean
  created: boolean
  /** The version that was replaced although the writer had not read it; it is kept. */
  replaced: BlobInfo | null
}

/**
 * Makes a stored blob the newest version of a file; creates the file where the path is free. Throws
 * `bad_path`, `too_large`, `is_text` where it would replace text, `no_base` where it would replace
 * a version that the writer has not read, `file_exists` where `isNew` and the path is taken.
 */
export const putBlob = (doc: Y.Doc, put: PutBlob): PutBlobResult => {
  const { key, found, versions } = checkPutBlob(doc, put)
  const { sha256, size, known, by, now } = put
  const [newest] = versions
  if (newest?.sha256 === sha256 && found !== null && isBinary(found)) {
    return { file: fileInfo(doc, key), changed: false, created: false, replaced: null }
  }
  const mediaType = mediaTypeOf(key)
  const fileId = found?.fileId ?? idFor(doc, key)
  doc.transact(() => {
    if (found === null || !isBinary(found)) {
      const { createdBy, createdAt } = found ?? { createdBy: by, createdAt: now }
      plant(doc, key, { fileId, mediaType, createdBy, createdAt })
      const text = textOf(doc, fileId)
      text.delete(0, text.length)
    }
    // Later than the version it replaces, whichever clock is wrong.
    const at = Math.max(now, (blobVersions(doc, fileId)[0]?.at ?? -1) + 1)
    blobsOf(doc, fileId).set(sha256, must(blobEntry, { size, mediaType, by, at }, key))
    countEdit(doc, fileId, by, now)
  })
  const isUnread = newest !== undefined && newest.sha256 !== known && newest.by !== by
  return {
    file: fileInfo(doc, key),
    changed: true,
    created: found === null,
    replaced: isUnread ? blobInfo(newest) : null,
  }
}

/**
 * The file that `putBlob` would replace, with its versions; `found` is null where the path is free.
 * Throws as `putBlob` and changes nothing.
 */
export const checkPutBlob = (
  doc: Y.Doc,
  { key: typed, sha256, size, known, force, isNew }: PutBlob,
): { key: FileKey; found: FileEntry | null; versions: BlobVersion[] } => {
  const key = checkFileKey(typed)
  checkBlobSize(size)
  if (isNew === true) checkAbsent(doc, key)
  const found = findLeaf(doc, key)?.entry ?? null
  if (found === null || force) {
    const versions = found !== null && isBinary(found) ? blobVersions(doc, found.fileId) : []
    return { key, found, versions }
  }
  if (!isBinary(found)) {
    throw new ClawError(
      'is_text',
      `${key} is a text file; the new content is not text`,
      'choose another key, or replace the text with --force',
    )
  }
  const versions = blobVersions(doc, found.fileId)
  if (known === null && versions.length > 0 && versions[0]!.sha256 !== sha256) {
    throw new ClawError(
      'no_base',
      `${key} exists and differs, and you have not read it`,
      'file-get it with --output first, then put yours; or replace it with --force',
    )
  }
  return { key, found, versions }
}

/** Throws `too_large`. */
export const checkBlobSize = (size: number): void => {
  if (size <= MAX_BLOB_BYTES) return
  throw new ClawError(
    'too_large',
    `the file is ${size} bytes; the limit for binary files is ${MAX_BLOB_BYTES}`,
    'split or compress it',
  )
}
