import type * as Y from 'yjs'
import type { AgentId, FileId, FileKey } from '../../protocol/ids.ts'
import { type EditCount, editsOf } from '../document/schema.ts'
import { isEditCount } from '../document/shape.ts'
import { MAX_COUNT } from '../document/values.ts'
import { editCounts, keysByFileId } from './tree.ts'

/** Tells path and version of the file whose content has an id; null where no path leads to it. */
export type VersionOf = (id: string) => { file_key: FileKey; version: number } | null

/** `VersionOf` for the document now; many questions cost one pass over its files. */
export const fileVersions = (doc: Y.Doc): VersionOf => {
  let keys: Map<string, FileKey> | null = null
  return (id) => {
    keys ??= keysByFileId(doc)
    const file_key = keys.get(id)
    return file_key === undefined ? null : { file_key, version: versionOf(doc, id as FileId) }
  }
}

/** Change sets in a text (count): always a safe integer. */
export const versionOf = (doc: Y.Doc, id: FileId): number =>
  Math.min(
    editCounts(doc, id).reduce((sum, [, { count }]) => sum + count, 0),
    Number.MAX_SAFE_INTEGER,
  )

/**
 * The latest edit by the clocks of the editors. Ties go to the highest client id, so that all
 * replicas agree.
 */
export const newestEdit = (doc: Y.Doc, id: FileId): EditCount | undefined =>
  newestFirst(doc, id)[0]?.[1]

const newestFirst = (doc: Y.Doc, id: FileId): [string, EditCount][] =>
  editCounts(doc, id).sort(([a, { at }], [b, other]) => other.at - at || Number(b) - Number(a))

/** The agents that changed the file, by Yjs client id (decimal), in the order of `newestEdit`. */
export const agentsOfEdits = (doc: Y.Doc, id: FileId): [string, AgentId][] =>
  newestFirst(doc, id).map(([client, { agent }]) => [client, agent])

/** Counts one change set of this replica. Call it in the transaction of the change. */
export const countEdit = (doc: Y.Doc, id: FileId, agent: AgentId, at: number): void => {
  const edits = editsOf(doc, id)
  const client = String(doc.clientID)
  const known = edits.get(client)
  const count = Math.min((isEditCount(known) ? known.count : 0) + 1, MAX_COUNT)
  edits.set(client, { agent, count, at })
}
