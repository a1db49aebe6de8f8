import type * as Y from 'yjs'
import type { AgentId, FileId, FileKey } from '../../protocol/ids.ts'
import { MAX_FILE_BYTES } from '../../protocol/limits.ts'
import { checkFileKey } from '../document/path.ts'
import { EDITS_PREFIX, textOf } from '../document/schema.ts'
import { readFileEntry } from '../document/shape.ts'
import { blobVersions, isBinary } from './blobs.ts'
import { agentsOfEdits, versionOf } from './edit-counts.ts'
import { findLeaf, keysByFileId } from './tree.ts'

/** A file at one moment, for its history. */
export interface FileContentState {
  fileId: FileId
  version: number
  /** Null: no path leads to it. */
  path: FileKey | null
  content: string
  /** The authors of its change sets, the newest first. */
  editors: AgentId[]
}

/** The file whose change sets the root with this name counts; null: it is another root. */
export const countedFile = (rootName: string): FileId | null => {
  if (!rootName.startsWith(EDITS_PREFIX)) return null
  const id = rootName.slice(EDITS_PREFIX.length)
  const path = id.replace(/\/\/\d+$/, '') // see `idFor`
  try {
    return checkFileKey(path) === path ? (id as FileId) : null
  } catch {
    return null
  }
}

/** True if anyone ever changed a file. */
export const hasCounts = (doc: Y.Doc): boolean => {
  for (const name of doc.share.keys()) if (countedFile(name) !== null) return true
  return false
}

/** The versions of all files that anyone ever changed, also of removed ones. */
export const countedVersions = (doc: Y.Doc): Map<FileId, number> => {
  const versions = new Map<FileId, number>()
  for (const name of [...doc.share.keys()]) {
    const id = countedFile(name)
    if (id !== null) versions.set(id, versionOf(doc, id))
  }
  return versions
}

/**
 * The file as it is now; null: it is binary, or longer than the limit, which only an editor that
 * ignores the limit can cause. `clients`: Yjs client ids (decimal) whose counts have grown; null:
 * unknown.
 */
export const fileState = (
  doc: Y.Doc,
  fileId: FileId,
  clients: ReadonlySet<string> | null,
): FileContentState | null => {
  if (textOf(doc, fileId).length > MAX_FILE_BYTES) return null
  const path = pathOf(doc, fileId)
  const entry = path === null ? undefined : readFileEntry(doc, path)
  // Of a removed file the content tells whether it was text.
  if (entry === undefined ? blobVersions(doc, fileId).length > 0 : isBinary(entry)) return null
  const editors = agentsOfEdits(doc, fileId)
    .filter(([client]) => clients?.has(client) ?? true)
    .map(([, agent]) => agent)
  return {
    fileId,
    version: versionOf(doc, fileId),
    path,
    content: textOf(doc, fileId).toJSON(),
    editors: clients === null ? editors.slice(0, 1) : [...new Set(editors)],
  }
}

/** Most files still have their first path. */
const pathOf = (doc: Y.Doc, id: FileId): FileKey | null => {
  const here = findLeaf(doc, id)
  return here?.entry.fileId === id ? here.key : (keysByFileId(doc).get(id) ?? null)
}

/** A kept version of a file as the server answers it and every face shows it. */
export interface FileVersion {
  /** Its path at that version. */
  file_key: string
  version: number
  /** An agent's id; null: not known. */
  last_editor: string | null
  /** By the server's clock. */
  updated_at: string
  /** UTF-8 bytes. */
  size: number
  /** Ids of the authors of its change sets, the newest first. */
  editors: string[]
  /** Change sets since the kept version before it (count). */
  change_sets: number
  added_lines: number
  removed_lines: number
  added_bytes: number
  removed_bytes: number
}
