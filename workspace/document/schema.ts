import type * as Y from 'yjs'
import type { AgentId, BroadcastId, FileId, FileKey, TaskId } from '../../protocol/ids.ts'
import type { Buckets } from './buckets.ts'

/**
 * Version of the document layout in docs/SCHEMA.md. A client rejects a workspace with a higher one.
 */
export const SCHEMA_VERSION = 2

export type Priority = 'low' | 'normal' | 'high' | 'urgent'
export const PRIORITIES = ['low', 'normal', 'high', 'urgent'] as const satisfies readonly Priority[]

/** A value that JSON can hold. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

/** A request that an agent take no new work. */
export interface Paused {
  by: AgentId
  /** Milliseconds since the epoch, by the clock of who asked. */
  at: number
  note: string
}

/**
 * `agents`: AgentId → Y.Map of these fields. The agent writes all but `lastSeenAt`, which is the server's, and `paused`,
 * which is anyone's.
 */
export interface AgentFields {
  name: string
  capabilities: string[]
  /** Broadcasts on other topics do not reach its inbox; empty: all do. */
  topics: string[]
  machine: string
  description: string
  /** Milliseconds since the epoch, by the agent's clock. */
  registeredAt: number
  /** Milliseconds since the epoch, by the server's clock. */
  lastSeenAt?: number
  /** Left out: an agent. */
  kind?: 'agent' | 'person'
  /** The way it connects: `LinkState` of workspace/agents/presence.ts. */
  link?: 'up' | 'down'
  /** Absent: it may go on. */
  paused?: Paused
}

/** A2A's task states. The last four are terminal. */
export const TASK_STATES = [
  'submitted',
  'working',
  'input-required',
  'completed',
  'failed',
  'canceled',
  'rejected',
] as const
export type TaskState = (typeof TASK_STATES)[number]

/** A task as its creator described it: one plain value that never changes. */
export interface TaskFacts {
  description: string
  context: Json
  priority: Priority
  from: AgentId
  /** The addressee; null: any agent with the capabilities in `requires`. */
  to: AgentId | null
  /** Capabilities that its owner must have. */
  requires?: string[]
  /** Tasks that must end before this one can be claimed. */
  after?: TaskId[]
  /**
   * The outcome where one of `after` did not complete: `run` starts the task, otherwise it fails.
   */
  afterFailed?: 'run'
  /** Milliseconds since the epoch: by then it has ended, or the server fails it. By the server's clock. */
  deadline?: number
  /** The task that this one is a part of. */
  parent?: TaskId
  /** An ended task that this one continues. */
  ref?: TaskId
  /** Owners who released it or lost their lease until it fails (count). */
  maxAttempts?: number
  /** The agent that must approve its result. */
  approver?: AgentId
  /** A result is refused whose author had read what others changed since. */
  fresh?: true
  /** Milliseconds since the epoch, by the creator's clock. */
  createdAt: number
  /** As in a broadcast. */
  trace?: string
  hops?: number
}

/** A result for programs, beside its text. */
export interface TaskResult {
  json?: Json
  /** Shared files, each at a version. */
  artifacts?: { file_key: FileKey; version: number }[]
  /** Files of which others changed what its author had read; the lines are those of `now_version`. */
  stale?: {
    file_key: FileKey
    read_version: number
    now_version: number
    lines: { from_line: number; to_line: number }[]
  }[]
}

/** Task field `status`: one plain value, because its parts must agree. */
export interface TaskStatus {
  state: TaskState
  owner: AgentId | null
  message: string
  /** Milliseconds since the epoch, by the server's clock. */
  at: number
  /** Counts the transitions: 0 for a task that the server has not touched. */
  revision: number
  /**
   * Counts the grants: the fencing token of the newest one. It only grows, so an older grant can be
   * told from the present one (M. Kleppmann, How to do distributed locking, 2016).
   */
  token: number
  /** Grants that ended without a result (count); absent: none. */
  ended?: number
  /** Owners whose lease ended, until they claim it again. */
  lost?: AgentId[]
  /** Agents that declined or released it. */
  declined?: AgentId[]
  /** Progress as its owner reports it: 0 to 100. */
  percent?: number
  result?: TaskResult
  /** Its result waits to be approved. */
  pending?: true
  /**
   * A request of its creator to stop; after `until` (milliseconds since the epoch) the task is
   * canceled anyway.
   */
  cancel?: { by: AgentId; at: number; reason: string; until: number }
}

/** The kind of a transition, where its state does not tell it. */
export type TaskEvent =
  | 'claimed'
  | 'released'
  | 'declined'
  | 'lease-lost'
  | 'attempts'
  | 'deadline'
  | 'dependency'
  | 'no-candidate'
  | 'answered'
  | 'cancel-asked'
  | 'approval-asked'
  | 'approved'
  | 'sent-back'

/** An element of the task field `history` (Y.Array): one transition. */
export interface Transition {
  state: TaskState
  /** An agent, or SERVER_ID. */
  by: AgentId
  message: string
  at: number
  revision: number
  /** Idempotency key of the command that caused it. */
  key: string
  event?: TaskEvent
  /** The previous owner, where the task is now owned by another agent or by none. */
  was?: AgentId
}

/** An element of the task field `notes` (Y.Array). */
export interface Note {
  by: AgentId
  /** Milliseconds since the epoch, by the author's clock. */
  at: number
  text: string
  /** Of the text of late work: the idempotency key of its command. */
  key?: string
}

/** An element of the task field `offers` (Y.Array): an agent was asked to take the task. */
export interface Offer {
  to: AgentId
  /** Milliseconds since the epoch, by the server's clock. */
  at: number
  /** The status' `token` at that time. */
  token: number
}

/** The author of steps that no agent makes. */
export const SERVER_ID = 'server' as AgentId

/**
 * A submission: an immutable plain value in the root `intake`. A client appends it; the server
 * files it and removes it. So tasks and receipts have one writer, and a filed submission leaves
 * nothing behind (rows.ts, buckets.ts).
 */
export type Submission =
  | { kind: 'task'; id: TaskId; facts: TaskFacts }
  | { kind: 'note'; task: TaskId; note: Note }
  | { kind: 'receipt'; id: string; by: AgentId; delivered?: number; read?: number }

/**
 * A receipt by the addressee of a task (its field `receipt`) or of a direct message (`receipts`).
 * Milliseconds since the epoch by the addressee's clock.
 */
export interface Receipt {
  /** When it was put into the addressee's inbox. */
  delivered: number
  /** When the addressee acknowledged it. */
  read?: number
  /** Of a direct message: the addressee. Absent: filed before this was noted. */
  by?: AgentId
}

/** An element of `broadcasts`: immutable. With `to` it is a direct message. */
export interface BroadcastEntry {
  id: BroadcastId
  from: AgentId
  to?: AgentId
  topic: string
  tags: string[]
  content: string
  /** Milliseconds since the epoch, by the sender's clock. */
  at: number
  /**
   * Its position in the order of the log, where `at` is not after all that its sender had seen: 1
   * after the newest of these. Absent: `at`.
   */
  order?: number
  /** The message or task that this one answers. */
  replyTo?: string
  /**
   * The id of the first message of its chain, and the number of messages before it. Absent: it
   * begins a chain.
   */
  trace?: string
  hops?: number
}

/** `files`: FileKey → this plain value. */
export interface FileEntry {
  fileId: FileId
  mediaType: string
  createdBy: AgentId
  createdAt: number
  /** Texts that were renamed away from the path (count); absent: none. */
  line?: number
  /** Absent: the file is there. */
  removed?: FileRemoval
}

/**
 * Marks a path that no longer leads to its text. Edits that the remover did not know of bring it
 * back.
 */
export interface FileRemoval {
  by: AgentId
  /** Milliseconds since the epoch, by the remover's clock. */
  at: number
  /** The `edits:<fileId>` counts that the remover knew: client id → count. */
  edits: { [client: string]: number }
  /** The new path of the text. */
  movedTo?: FileKey
}

/**
 * `edits:<fileId>`: Yjs client id (decimal) → this plain value. A grow-only counter (G-counter: one
 * entry per actor, the sum is the value): the version of a file is the sum of all counts, so
 * concurrent change sets all count and every replica agrees.
 */
export interface EditCount {
  agent: AgentId
  count: number
  /** Time of the newest change set counted here, milliseconds since the epoch, by the writer's clock. */
  at: number
}

/** `blobs:<fileId>`: name of a blob → this plain value. A version of a file that is not text. */
export interface BlobEntry {
  /** Bytes. */
  size: number
  mediaType: string
  by: AgentId
  /** Milliseconds since the epoch, by the writer's clock, and later than that of every version the writer knew. */
  at: number
}

/**
 * `meta`, written by the server only: `schemaVersion`, `workspaceId`, `createdAt`, `serverClient`,
 * `archivedBroadcasts` and `archivedTasks`: archived entries of each kind (count), which is the
 * position of the newest one (absent: none), and `suggestions`: the number of the newest one.
 */
export const metaOf = (doc: Y.Doc) => doc.getMap<Json>('meta')
export const agentsOf = (doc: Y.Doc) => doc.getMap<Y.Map<unknown>>('agents')
/** TaskId → Y.Map: `facts`, `status`, `history`, `notes`, `offers`, `receipt`; all but `facts` may be absent. Server only. */
export const tasksOf = (doc: Y.Doc): Buckets => doc.getMap<Y.Map<unknown>>('tasks')
export const submissionsOf = (doc: Y.Doc) => doc.getArray<Submission>('intake')
export const broadcastsOf = (doc: Y.Doc) => doc.getArray<BroadcastEntry>('broadcasts')
/** Id of a direct message → Receipt. Server only. */
export const receiptsOf = (doc: Y.Doc): Buckets => doc.getMap<Y.Map<unknown>>('receipts')
/** SuggestionId → Y.Map: `facts`, `hunks` until it has ended, `decisions`. Server only. */
export const suggestionsOf = (doc: Y.Doc): Buckets => doc.getMap<Y.Map<unknown>>('suggestions')
export const filesOf = (doc: Y.Doc) => doc.getMap<FileEntry>('files')
export const textOf = (doc: Y.Doc, id: FileId) => doc.getText(`${FILE_PREFIX}${id}`)
export const editsOf = (doc: Y.Doc, id: FileId) => doc.getMap<EditCount>(`${EDITS_PREFIX}${id}`)
export const blobsOf = (doc: Y.Doc, id: FileId) => doc.getMap<BlobEntry>(`${BLOBS_PREFIX}${id}`)

export const FILE_PREFIX = 'file:'
export const EDITS_PREFIX = 'edits:'
export const BLOBS_PREFIX = 'blobs:'

/** Broadcasts that the server has moved into the archive (count). */
export const archivedBroadcasts = (doc: Y.Doc): number => countIn(doc, 'archivedBroadcasts')
/** Tasks that the server has moved into the archive (count). */
export const archivedTasks = (doc: Y.Doc): number => countIn(doc, 'archivedTasks')

/** Suggestions that were ever filed (count): the number of the newest one. */
export const filedSuggestions = (doc: Y.Doc): number => countIn(doc, 'suggestions')

const countIn = (doc: Y.Doc, name: string): number => {
  const count = metaOf(doc).get(name)
  return typeof count === 'number' ? count : 0
}

/** Writes `meta` into a new workspace. Server only, before the first client is answered. */
export const initWorkspace = (doc: Y.Doc, workspaceId: string, now: number): void => {
  const meta = metaOf(doc)
  if (meta.has('schemaVersion')) return
  doc.transact(() => {
    meta.set('schemaVersion', SCHEMA_VERSION)
    meta.set('workspaceId', workspaceId)
    meta.set('createdAt', now)
    // The server keeps one Yjs client id per workspace: a new one per start would make every state
    // vector grow.
    meta.set('serverClient', doc.clientID)
  })
}

/** The Yjs client id under which the server writes. */
export const serverClientOf = (doc: Y.Doc): number => {
  const id = metaOf(doc).get('serverClient')
  return typeof id === 'number' ? id : doc.clientID
}

/** Makes the client id of the document the one that the server writes under. Server only. */
export const renewServerClient = (doc: Y.Doc): void => {
  metaOf(doc).set('serverClient', doc.clientID)
}

/** A workspace name: valid in URL paths and file names everywhere. */
export const isWorkspaceName = (name: string): boolean => /^[a-z0-9][a-z0-9._-]{0,62}$/.test(name)

/** Milliseconds since the epoch as the ISO text that every face prints; out of range becomes the epoch. */
export const isoTime = (ms: number): string =>
  new Date(Number.isFinite(ms) && Math.abs(ms) <= 8.64e15 ? ms : 0).toISOString()

export type { FileId, FileKey, TaskId }
