import type * as Y from 'yjs'
import { ClawError } from '../../protocol/errors.ts'
import type { AgentId } from '../../protocol/ids.ts'
import { checkFileKey } from '../document/path.ts'
import { textOf } from '../document/schema.ts'
import { countEdit } from './edit-counts.ts'
import { type FileInfo, fileInfo, infoOf } from './file-info.ts'
import { findLeaf, getFile, plant, uproot } from './tree.ts'

/**
 * Removes a file. A concurrent edit brings it back, whole and with that edit; a file created later
 * at the same path continues the count of versions. Throws `unknown_file`, and `stale` where others
 * changed it after `known`, the version that the remover has read (null: none).
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
 * Moves a file to another path. It keeps its text, so concurrent edits under the old path, and
 * later ones by agents that do not know the new path yet, are in the moved file. Throws
 * `unknown_file`, `bad_path`, and `file_exists` where `to` exists and `force` is false.
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
  const inTheWay = findLeaf(doc, key)
  if (inTheWay !== null && !force) {
    throw new ClawError(
      'file_exists',
      `${key} already exists`,
      'choose another path, or replace that file with --force',
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
