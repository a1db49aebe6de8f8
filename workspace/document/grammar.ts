import {
  MAX_AGENTS,
  MAX_FILE_KEYS,
  MAX_FILES,
  MAX_OTHER_NAME_BYTES,
  MAX_RECORD_KEYS,
  MAX_RESULT_JSON_BYTES,
} from '../../protocol/limits.ts'
import * as records from './records.ts'
import { BLOBS_PREFIX, EDITS_PREFIX, FILE_PREFIX } from './schema.ts'
import { count, json, line, type Rule, time } from './values.ts'

/**
 * The grammar of the document: the entries that each place allows. The server checks every update
 * against it before it applies or stores anything; `verify` checks stored documents; readers treat
 * faulty values as absent; docs/SCHEMA.md shows it.
 */

/** The shape of a type. Yjs lets every root have keys, elements and text at once. */
export type TypeShape = 'map' | 'list' | 'text' | 'any'

/**
 * The writers of a place. `author`: the agent that the entry there names.
 * sync-server/auth/ownership/authors.ts enforces it.
 */
export type Writer = 'server' | 'agents' | 'agent' | 'author' | 'counts' | 'anyone'

/** The rule for an entry under a key, or for an element. */
export interface EntryRule {
  /** A plain value. */
  value?: Rule
  /** A type. */
  type?: TypeRule
  /** The server's alone, or anyone's, where the rest is not. */
  writer?: 'server' | 'anyone'
}

/** A type of the document and the entries that it allows. */
export interface TypeRule {
  /** For docs/SCHEMA.md. */
  title?: string
  shape: TypeShape
  /** Of a map. */
  key?: Rule
  /**
   * Keys that it may ever have (count): Yjs keeps each for ever. Absent: the server is its only
   * writer.
   */
  most?: number
  /** Keys with a meaning of their own. */
  fields?: Readonly<Record<string, EntryRule>>
  /** All other keys, and the elements of a list; absent: not allowed. */
  rest?: EntryRule
}

/** The kind of a root. `other`: another program uses the workspace for its own purposes. */
export type RootKind =
  | 'meta'
  | 'agents'
  | 'intake'
  | 'tasks'
  | 'broadcasts'
  | 'receipts'
  | 'suggestions'
  | 'files'
  | 'file'
  | 'blobs'
  | 'edits'
  | 'other'

export interface RootRule {
  writer: Writer
  /** Rule for the name after its prefix. */
  name?: Rule
  type: TypeRule
}

const valueMap = (key: Rule, value: Rule, most?: number): TypeRule => ({
  ...{ shape: 'map', key, rest: { value } },
  ...(most !== undefined && { most }),
})
const valueList = (value: Rule): TypeRule => ({ shape: 'list', rest: { value } })
/** Fields of a later version. */
const laterField: EntryRule = { value: json(1024) }

export const AGENT: TypeRule = {
  title: 'an agent',
  shape: 'map',
  most: MAX_RECORD_KEYS,
  key: line(64),
  fields: {
    name: { value: records.nameRule },
    capabilities: { value: records.labelList },
    topics: { value: records.labelList },
    machine: { value: records.machine },
    description: { value: records.description },
    registeredAt: { value: time },
    lastSeenAt: { value: time, writer: 'server' },
    kind: { value: records.agentKind },
    link: { value: records.linkState },
    paused: { value: records.paused, writer: 'anyone' },
  },
  rest: laterField,
}

export const TASK_RULE: TypeRule = {
  title: 'a task',
  shape: 'map',
  key: line(64),
  fields: {
    facts: { value: records.taskFacts },
    status: { value: records.taskStatus },
    history: { type: valueList(records.transition) },
    notes: { type: valueList(records.noteRecord) },
    offers: { type: valueList(records.offer) },
    receipt: { value: records.receipt },
    past: { value: records.transitions },
    pastNotes: { value: records.notes },
  },
  rest: laterField,
}

export const SUGGESTION_RULE: TypeRule = {
  title: 'a suggestion',
  shape: 'map',
  key: line(64),
  fields: {
    facts: { value: records.suggestionFacts },
    hunks: { value: records.suggestedHunks },
    decisions: { type: valueList(records.suggestionDecision) },
  },
  rest: laterField,
}

/** Before schema version 2 a task's fields stood one level higher, where buckets are now. */
const oldValue = json(4 * MAX_RESULT_JSON_BYTES)
const BUCKET: TypeRule = {
  shape: 'map',
  key: line(128),
  fields: { history: { type: valueList(oldValue) }, notes: { type: valueList(oldValue) } },
  rest: { type: TASK_RULE, value: oldValue },
}

export const GRAMMAR: Readonly<Record<RootKind, RootRule>> = {
  meta: {
    writer: 'server',
    type: {
      shape: 'map',
      key: line(64),
      fields: {
        schemaVersion: { value: count() },
        workspaceId: { value: records.workspaceName },
        createdAt: { value: time },
        serverClient: { value: count(Number.MAX_SAFE_INTEGER) },
        archivedBroadcasts: { value: count() },
        archivedTasks: { value: count() },
        suggestions: { value: count() },
      },
      rest: laterField,
    },
  },
  agents: {
    writer: 'agents',
    type: { shape: 'map', key: records.agentId, most: MAX_AGENTS, rest: { type: AGENT } },
  },
  intake: { writer: 'author', type: valueList(records.submission) },
  tasks: {
    writer: 'server',
    type: {
      shape: 'map',
      key: line(128),
      rest: { type: BUCKET },
    },
  },
  broadcasts: { writer: 'author', type: valueList(records.broadcastRecord) },
  receipts: {
    writer: 'server',
    type: {
      shape: 'map',
      key: line(128),
      // The id of a message; where two messages share it, with the addressee of the second.
      rest: { type: valueMap(line(256), records.receipt), value: records.receipt },
    },
  },
  suggestions: {
    writer: 'server',
    type: {
      shape: 'map',
      key: line(128),
      rest: { type: { shape: 'map', key: records.suggestionId, rest: { type: SUGGESTION_RULE } } },
    },
  },
  files: { writer: 'author', type: valueMap(records.filePath, records.fileEntryRule, MAX_FILES) },
  file: { writer: 'anyone', name: records.fileId, type: { shape: 'text' } },
  blobs: {
    writer: 'author',
    name: records.fileId,
    type: valueMap(records.blobName, records.blobEntry, MAX_FILE_KEYS),
  },
  edits: {
    writer: 'counts',
    name: records.fileId,
    type: valueMap(records.clientId, records.editCount, MAX_FILE_KEYS),
  },
  other: { writer: 'anyone', name: line(MAX_OTHER_NAME_BYTES), type: { shape: 'any' } },
}

const PREFIXES: readonly (readonly [string, RootKind])[] = [
  [FILE_PREFIX, 'file'],
  [BLOBS_PREFIX, 'blobs'],
  [EDITS_PREFIX, 'edits'],
]
const NAMES: ReadonlySet<string> = new Set(
  Object.keys(GRAMMAR).filter((kind) => !['file', 'blobs', 'edits', 'other'].includes(kind)),
)

/** The kind of the root with this name; `rest`: the name without its prefix. */
export const rootKind = (name: string): { kind: RootKind; rest: string } => {
  if (NAMES.has(name)) return { kind: name as RootKind, rest: '' }
  for (const [prefix, kind] of PREFIXES) {
    if (name.startsWith(prefix)) return { kind, rest: name.slice(prefix.length) }
  }
  return { kind: 'other', rest: name }
}
