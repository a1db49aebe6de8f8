import type * as Y from 'yjs'
import { shellFlag } from '../../lib/text/quote.ts'
import { ClawError } from '../../protocol/errors.ts'
import type { AgentId, FileId } from '../../protocol/ids.ts'
import { isBlobName } from '../../protocol/ids.ts'
import {
  BLOBS_PREFIX,
  type BlobEntry,
  blobsOf,
  type FileEntry,
  isoTime,
} from '../document/schema.ts'
import { fileEntries, isBlobEntry } from '../document/shape.ts'
import { getFile, keysByFileId } from './tree.ts'

/**
 * Binary files. The server keeps their bytes as blobs under their SHA-256; the document has the
 * names. The newest version is the file; older and concurrent versions are kept for a while.
 */

/** A version of a file that is not text. */
export interface BlobVersion extends BlobEntry {
  sha256: string
}

/** A version of a binary file as every face shows it. */
export interface BlobInfo {
  sha256: string
  size: number
  media_type: string
  by: AgentId
  at: string
}

export const isBinary = ({ mediaType }: FileEntry): boolean => !mediaType.startsWith('text/')

export const notText = (key: string, mediaType: string, next?: string): ClawError =>
  new ClawError(
    'not_text',
    `${key} is not text (${mediaType})`,
    next ?? `take it whole: file-get ${shellFlag('key', key)} --output PATH`,
  )

/** The versions that the document names, the newest first; all replicas agree on the order. */
export const blobVersions = (doc: Y.Doc, id: FileId): BlobVersion[] =>
  [...blobsOf(doc, id)]
    .filter(([sha256, entry]) => isBlobName(sha256) && isBlobEntry(entry))
    .map(([sha256, { size, mediaType, by, at }]) => ({ sha256, size, mediaType, by, at }))
    .sort((a, b) => b.at - a.at || (a.sha256 < b.sha256 ? 1 : -1))

export const blobInfo = ({ sha256, size, mediaType, by, at }: BlobVersion): BlobInfo => ({
  sha256,
  size,
  media_type: mediaType,
  by,
  at: isoTime(at),
})

/**
 * A version of a binary file: the newest, or the one whose name begins with `name`. Throws
 * `unknown_file`, `unknown_blob`, `ambiguous`.
 */
export const getBlob = (doc: Y.Doc, key: string, name?: string): BlobVersion => {
  const leaf = getFile(doc, key)
  const versions = blobVersions(doc, leaf.entry.fileId)
  const found =
    name === undefined ? versions : versions.filter((one) => one.sha256.startsWith(name))
  if (found.length > 1 && name !== undefined) {
    throw new ClawError(
      'ambiguous',
      `${found.length} versions of ${leaf.key} begin with ${name}`,
      'give more characters of it',
    )
  }
  if (found[0] !== undefined) return found[0]
  throw new ClawError(
    'unknown_blob',
    `${leaf.key} has no such version`,
    'file-get --key K --json lists the versions that are kept',
  )
}

const blobFiles = (doc: Y.Doc): FileId[] =>
  [...doc.share.keys()]
    .filter((name) => name.startsWith(BLOBS_PREFIX))
    .map((name) => name.slice(BLOBS_PREFIX.length) as FileId)

/**
 * Forgets versions: of a present file all but the newest `keep`; of a removed file, or one that
 * became text, those from before `before`. Returns how many it forgot. Server only.
 */
export const pruneBlobs = (doc: Y.Doc, keep: number, before: number): number => {
  const keys = keysByFileId(doc)
  const live = new Set<string>()
  const fresh = new Set<string>()
  for (const [path, entry] of fileEntries(doc)) {
    const { fileId, removed } = entry
    if (keys.get(fileId) === path && isBinary(entry)) live.add(fileId)
    if (removed !== undefined && removed.movedTo === undefined && removed.at >= before) {
      fresh.add(fileId)
    }
  }
  let forgotten = 0
  for (const id of blobFiles(doc)) {
    const versions = blobVersions(doc, id)
    const old = live.has(id)
      ? versions.slice(keep)
      : fresh.has(id)
        ? []
        : versions.filter(({ at }) => at < before)
    for (const { sha256 } of old) blobsOf(doc, id).delete(sha256)
    forgotten += old.length
  }
  return forgotten
}

/** The names of all blobs that the document refers to. */
export const referencedBlobs = (doc: Y.Doc): Set<string> =>
  new Set(blobFiles(doc).flatMap((id) => [...blobsOf(doc, id).keys()]))
