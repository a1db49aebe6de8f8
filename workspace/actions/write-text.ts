import type * as Y from 'yjs'
import { merge3 } from '../../lib/merge/merge.ts'
import { newMessageId } from '../../protocol/fresh-ids.ts'
import { versionOf } from '../files/edit-counts.ts'
import { findTogether, type TogetherWith } from '../files/find-together.ts'
import { type FilePut, type PutResult, putFile } from '../files/put-file.ts'
import { findLeaf } from '../files/tree.ts'
import { tellOthers } from '../inbox/conflicts.ts'
import { tellTogether } from '../inbox/together.ts'

export interface Written extends PutResult {
  /** Changes of others, merged cleanly, to look at together with this one. Absent: none, or told before. */
  together?: TogetherWith[]
}

/**
 * Puts a text and tells those whose lines it overlaps, and those who changed something close to it since its writer read it.
 * `seen`: the text that the writer had seen; absent: the base. `known` is the version that its writer then knows: the new one
 * only if it had read the one before, or none. Throws what `putFile` throws.
 */
export const writeText = (
  doc: Y.Doc,
  put: FilePut,
  seen: string | null = put.base,
): { result: Written; known: (read: { version: number } | null) => number } => {
  const leaf = findLeaf(doc, put.key)
  const before = leaf === null ? 0 : versionOf(doc, leaf.entry.fileId)
  let current: string | null = null
  const merge: NonNullable<FilePut['merge']> = (base, mine, theirs) => {
    current = theirs
    return (put.merge ?? merge3)(base, mine, theirs)
  }
  const result: Written = putFile(doc, { ...put, merge })
  const { file_key, version } = result.file
  for (const conflict of result.conflicts) {
    tellOthers(doc, put.by, file_key, conflict, newMessageId, put.now)
  }
  if (leaf !== null && result.changed && seen !== null && seen !== current) {
    const { fileId } = leaf.entry
    const { lines, conflicts } = result
    const merged = { key: file_key, fileId, base: seen, by: put.by, lines, conflicts }
    const told = findTogether(doc, merged).filter((pair) =>
      tellTogether(doc, put.by, file_key, pair, newMessageId, put.now),
    )
    if (told.length > 0) result.together = told
  }
  const known = (read: { version: number } | null): number =>
    read === null || read.version === before ? version : read.version
  return { result, known }
}
