import type * as Y from 'yjs'
import { newMessageId } from '../../protocol/fresh-ids.ts'
import { versionOf } from '../files/edit-counts.ts'
import { type FilePut, type PutResult, putFile } from '../files/put-file.ts'
import { findLeaf } from '../files/tree.ts'
import { tellOthers } from '../inbox/conflicts.ts'

/**
 * Puts a text and tells those whose lines it overlaps. `known` is the version that its writer then knows: the new one only if
 * it had read the one before, or none. Throws what `putFile` throws.
 */
export const writeText = (
  doc: Y.Doc,
  put: FilePut,
): { result: PutResult; known: (read: { version: number } | null) => number } => {
  const leaf = findLeaf(doc, put.key)
  const before = leaf === null ? 0 : versionOf(doc, leaf.entry.fileId)
  const result = putFile(doc, put)
  const { file_key, version } = result.file
  for (const conflict of result.conflicts) {
    tellOthers(doc, put.by, file_key, conflict, newMessageId, put.now)
  }
  const known = (read: { version: number } | null): number =>
    read === null || read.version === before ? version : read.version
  return { result, known }
}
