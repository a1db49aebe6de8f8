import type * as Y from 'yjs'
import { ClawError } from '../../protocol/errors.ts'
import type { FileId, FileKey } from '../../protocol/ids.ts'
import { blobVersions, isBinary } from './blobs.ts'
import { versionOf } from './edit-counts.ts'
import { findLeaf, keysByFileId } from './tree.ts'

/** One file of a checkpoint: what its path led to, at one moment. */
export interface CheckpointFile {
  id: FileId
  path: FileKey
  version: number
  /** Of a binary file: the name of its newest version. */
  sha256?: string
}

/** A checkpoint as every face shows it. */
export interface CheckpointInfo {
  name: string
  note: string
  /** The agent that made it. */
  by: string
  /** By the server's clock. */
  at: string
  /** Number of files in it. */
  files: number
}

export type FileChangeKind = 'added' | 'removed' | 'changed' | 'moved'

/** The difference of one file between two moments; a side is null where the file was not there. */
export interface FileChange {
  change: FileChangeKind
  from: CheckpointFile | null
  to: CheckpointFile | null
}

/** Stands for the present where a checkpoint is named. */
export const NOW = 'now'

/** Returns the name of a checkpoint. Throws `bad_name`. */
export const checkCheckpointName = (name: string): string => {
  if (/^[A-Za-z0-9][\w.-]{0,63}$/.test(name) && name !== NOW) return name
  throw new ClawError(
    'bad_name',
    `"${name.slice(0, 80)}" cannot be the name of a checkpoint`,
    'letters, digits, "_", "-" and ".", at most 64, beginning with a letter or digit; not "now"',
  )
}

/** The files of a document as they are now, by path; each text once, under its own path. */
export const filesNow = (doc: Y.Doc): CheckpointFile[] => {
  const files: CheckpointFile[] = []
  for (const [id, path] of keysByFileId(doc)) {
    const leaf = findLeaf(doc, path)
    if (leaf === null) continue
    const fileId = id as FileId
    const [newest] = isBinary(leaf.entry) ? blobVersions(doc, fileId) : []
    const sha256 = newest === undefined ? {} : { sha256: newest.sha256 }
    files.push({ id: fileId, path, version: versionOf(doc, fileId), ...sha256 })
  }
  return files.sort((a, b) => (a.path < b.path ? -1 : 1))
}

/**
 * The changes between two moments, by path. A file is the same by its id, else by its path. A file that moved and changed is
 * `changed`; versions that differ may have the same text.
 */
export const changesBetween = (
  from: readonly CheckpointFile[],
  to: readonly CheckpointFile[],
): FileChange[] => {
  const before = new Map(from.map((file) => [file.id, file]))
  const pairs: [CheckpointFile | null, CheckpointFile | null][] = []
  const fresh: CheckpointFile[] = []
  for (const file of to) {
    const known = before.get(file.id)
    if (known === undefined) fresh.push(file)
    else pairs.push([known, file])
    before.delete(file.id)
  }
  const left = new Map([...before.values()].map((file) => [file.path, file]))
  for (const file of fresh) {
    pairs.push([left.get(file.path) ?? null, file])
    left.delete(file.path)
  }
  for (const file of left.values()) pairs.push([file, null])
  return pairs
    .flatMap(([was, is]) => {
      const change = changeOf(was, is)
      return change === null ? [] : [{ change, from: was, to: is }]
    })
    .sort((a, b) => (pathOf(a) < pathOf(b) ? -1 : 1))
}

const changeOf = (
  from: CheckpointFile | null,
  to: CheckpointFile | null,
): FileChangeKind | null => {
  if (from === null) return 'added'
  if (to === null) return 'removed'
  const isSame = from.id === to.id && from.version === to.version && from.sha256 === to.sha256
  if (!isSame) return 'changed'
  return from.path === to.path ? null : 'moved'
}

/** The path after the change, or the last one of a removed file. */
export const pathOf = ({ from, to }: FileChange): FileKey => (to ?? from)!.path
