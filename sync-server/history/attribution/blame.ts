import type * as Y from 'yjs'
import type { FileId, FileKey } from '../../../protocol/ids.ts'
import {
  type AgentOf,
  type AttributionRuns,
  clientsIn,
  type PutBack,
  type Span,
  spansOf,
} from '../../../workspace/authorship/attribution.ts'
import { type BlameRange, blame, type LineRange } from '../../../workspace/authorship/blame.ts'
import { type Deleted, DeletedTexts, deletedParts } from '../../../workspace/authorship/deleted.ts'
import { FILE_PREFIX, textOf } from '../../../workspace/document/schema.ts'
import { serverClientsOf } from '../../../workspace/document/server-clients.ts'
import { isBinary, notText } from '../../../workspace/files/blobs.ts'
import { agentsOfEdits, versionOf } from '../../../workspace/files/edit-counts.ts'
import { getFile } from '../../../workspace/files/tree.ts'
import { MAX_DELETED_PARTS } from '../../config/limits.ts'
import type { UpdateLog } from '../../storage/update-log.ts'
import { OWNER_NAME } from '../../sync/principal.ts'
import { readUndos } from './undos.ts'

/** Names the server as an author; no agent can have it. */
const SERVER_NAME = 'server'
/** Names the author of text that nothing tells of: an older version stored it, or a repair wrote it. */
const UNKNOWN_NAME = 'unknown'

/** A file's text at one moment. */
export interface TextState {
  file_key: FileKey
  /** The root of its text. */
  root: string
  version: number
  spans: Span[]
  /** The agents that edit counts name for Yjs client ids. */
  counted: ReadonlyMap<number, string>
  /** The server's own Yjs client ids. */
  servers: ReadonlySet<number>
}

/** Reads a file for `blameOf`. Throws `unknown_file`, `not_text`. `gaps`: also where text was deleted. */
export const readText = (doc: Y.Doc, key: string, gaps: boolean): TextState => {
  const { key: file_key, entry } = getFile(doc, key)
  if (isBinary(entry)) throw notText(file_key, entry.mediaType)
  const { fileId } = entry
  return {
    ...{ file_key, root: `${FILE_PREFIX}${fileId}`, version: versionOf(doc, fileId) },
    spans: spansOf(textOf(doc, fileId), gaps),
    counted: new Map(agentsOfEdits(doc, fileId).map(([client, agent]) => [Number(client), agent])),
    servers: serverClientsOf(doc),
  }
}

/**
 * The agent of each Yjs client id. An id without an owner was used by the owner of the server, who may write in any
 * name: that of the edit count, which only the user of the id can write. `inserts`: the runs of its operations, which
 * the log has of all that came from a connection.
 */
export const agentsOf =
  (
    owners: ReadonlyMap<number, string>,
    { counted, servers }: Pick<TextState, 'counted' | 'servers'>,
    inserts: AttributionRuns['inserts'],
  ): AgentOf =>
  (client) =>
    owners.get(client) ??
    (servers.has(client) ? SERVER_NAME : undefined) ??
    counted.get(client) ??
    (inserts.has(client) ? OWNER_NAME : UNKNOWN_NAME)

export interface Blame {
  file_key: FileKey
  version: number
  ranges: BlameRange[]
  deleted?: Deleted[]
  /** There are older deletions than those in `deleted`. */
  more?: boolean
}

/** The origins of a file's lines; with gaps in `state`, also those of deleted texts. */
export const blameOf = async (
  log: UpdateLog,
  workspace: string,
  state: TextState,
  lines: LineRange,
  withDeleted: boolean,
): Promise<Blame> => {
  const { file_key, version, spans, root } = state
  const [putBack, owners] = await Promise.all([
    putBackIn(log, workspace, root),
    log.owners(workspace),
  ])
  const clients = clientsIn(spans)
  for (const { ofClient } of [...putBack.values()].flat()) clients.add(ofClient)
  const kinds = withDeleted ? (['inserts', 'deletes'] as const) : (['inserts'] as const)
  const runs: AttributionRuns = { ...(await log.attribution(workspace, clients, kinds)), putBack }
  const agentOf = agentsOf(owners, state, runs.inserts)
  const ranges = blame(spans, runs, agentOf, lines)
  if (!withDeleted) return { file_key, version, ranges }
  const texts = new DeletedTexts(await log.deletedTexts(workspace, root))
  const deleted = deletedParts(spans, runs, agentOf, texts, lines)
  return { file_key, version, ranges, ...newestOf(deleted) }
}

/** Operations of undos that put text back in a file, by Yjs client id, sorted by clock. */
const putBackIn = async (
  { facts }: UpdateLog,
  workspace: string,
  root: string,
): Promise<Map<number, PutBack[]>> => {
  const file = root.slice(FILE_PREFIX.length) as FileId
  const undos = (await readUndos(facts, workspace, file)).get(file)
  const found = new Map<number, PutBack[]>()
  for (const { by, copies } of undos?.records ?? []) {
    for (const copy of copies) {
      found.set(copy.client, [...(found.get(copy.client) ?? []), { ...copy, by }])
    }
  }
  for (const list of found.values()) list.sort((a, b) => a.clock - b.clock)
  return found
}

/** The newest MAX_DELETED_PARTS, in the order of the file. */
const newestOf = (deleted: Deleted[]): { deleted: Deleted[]; more: boolean } => {
  if (deleted.length <= MAX_DELETED_PARTS) return { deleted, more: false }
  const byTime = [...deleted].sort((a, b) => ((a.at ?? '') < (b.at ?? '') ? 1 : -1))
  const kept = new Set(byTime.slice(0, MAX_DELETED_PARTS))
  return { deleted: deleted.filter((one) => kept.has(one)), more: true }
}
