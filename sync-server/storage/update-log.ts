import type { Authorship, DeletedText, DeleteRun, InsertRun } from '../../lib/attribution/runs.ts'
import type { Op } from './integrity/level-keys.ts'
import type { RecordLog } from './record-log.ts'
import type { VersionLog } from './version-log.ts'

/** A workspace as stored: the checkpoint, and the later updates in order of acceptance. */
export interface Stored {
  checkpoint: Uint8Array | null
  tail: Uint8Array[]
  /** Position of the newest record included; 0 for an empty log. */
  seq: number
}

/** A workspace for its readers. */
export interface Joined extends Stored {
  /** The tail as it was stored; null: it was not read. */
  single: Uint8Array[] | null
}

/** A part of the archive; the log knows only its name. */
export type Shelf = 'broadcasts' | 'tasks'

/** An entry moved from a document to the archive. */
export interface Archivable {
  /** Each shelf of a workspace counts its own positions: 1, 2, 3 … */
  shelf: Shelf
  /** The id to find it by; null for none. */
  id: string | null
  value: Uint8Array
}

/** Stores the server's data beside the documents: members, and the state of HTTP agents. */
export interface FactLog {
  /** Returns the value of a key; null if there is none. */
  get(key: string): Promise<unknown>
  /** All entries with this key prefix, in key order. */
  entries(prefix: string): Promise<{ key: string; json: unknown }[]>
  /** The same without the values that are damaged or not JSON. */
  readable(prefix: string): Promise<{ key: string; json: unknown }[]>
  /** Stores `ops` atomically and durably. */
  put(ops: Op[]): Promise<void>
}

/** A Yjs client id and its owner from now on. */
export interface Owned {
  client: number
  owner: string
}

/** The attribution of operations, by Yjs client id, sorted by clock. */
export interface AttributionMap {
  inserts: ReadonlyMap<number, readonly InsertRun[]>
  deletes: ReadonlyMap<number, readonly DeleteRun[]>
  /** Deletions of what others had just deleted; they may overlap. */
  again: ReadonlyMap<number, readonly DeleteRun[]>
}

export type AttributionKind = keyof AttributionMap

/**
 * The source of truth of every workspace: a log of Yjs updates; the document is its fold.
 * Implementations share the contract suite in test/support/sync-server/update-log-contract.ts.
 */
export interface UpdateLog {
  /** Versions, stored by the same group commit; they fail together with the updates. */
  readonly versions: VersionLog
  /** The hash chain over the records. */
  readonly record: RecordLog
  /** Facts, stored in the same way. */
  readonly facts: FactLog
  /**
   * Appends one record of updates. Resolves to its position (1, 2, 3 … within the workspace) once it is durable. Records
   * of one workspace are stored in the order of the calls. Rejects if the write fails; the log then rejects all later
   * writes.
   *
   * `archived`: entries that these updates remove from the document, stored at the next positions of their shelves.
   * `owned`: owners of the Yjs client ids that these updates use for the first time. `facts`: other entries.
   * `authorship`: a credit per update (none: nobody is credited), and the texts that they delete. All are stored in one
   * atomic write. Without updates the rest is stored alone, and the position is that of the newest record.
   */
  append(
    workspace: string,
    updates: readonly Uint8Array[],
    archived?: readonly Archivable[],
    owned?: readonly Owned[],
    facts?: readonly Op[],
    authorship?: Authorship,
  ): Promise<number>
  /**
   * The attribution of these Yjs client ids (null: of all). Operations stored by a version without attribution
   * have no run. An entry that cannot be read is left out. `of`: the kinds to read; the others are empty.
   */
  attribution(
    workspace: string,
    clients: ReadonlySet<number> | null,
    of?: readonly AttributionKind[],
  ): Promise<AttributionMap>
  /** The kept texts that were deleted in a root, oldest deletion first; an entry that cannot be read is left out. */
  deletedTexts(workspace: string, root: string): Promise<Omit<DeletedText, 'root'>[]>
  /** The owners of Yjs client ids, by id. */
  owners(workspace: string): Promise<Map<number, string>>
  /**
   * The archived entries after position `after`, in order: at most `limit`, and none after their
   * sizes reach `bytes`. Returns at least one entry if there is one.
   */
  archived(
    workspace: string,
    shelf: Shelf,
    after: number,
    limit: number,
    bytes?: number,
  ): Promise<{ seq: number; value: Uint8Array }[]>
  /** The archived entry at a position; null: there is none. */
  archivedAt(workspace: string, shelf: Shelf, seq: number): Promise<Uint8Array | null>
  /** Position of the newest archived entry; 0 if there is none. */
  archiveEnd(workspace: string, shelf: Shelf): Promise<number>
  /** Position of the newest archived entry with this id; null if there is none. */
  archivePosition(workspace: string, shelf: Shelf, id: string): Promise<number | null>
  /** The durable state of a workspace. Throws Corruption. */
  load(workspace: string): Promise<Stored>
  /** The same for readers: the tail is of the same content in as few updates as can be told at once. Throws Corruption. */
  loadJoined(workspace: string): Promise<Joined>
  /**
   * Replaces all records up to `seq` by `checkpoint`, which must cover them; their attribution is kept. `kind`: what the
   * record says of it, `folded` by default.
   */
  compact(
    workspace: string,
    seq: number,
    checkpoint: Uint8Array,
    kind?: 'folded' | 'repaired',
  ): Promise<void>
  /** Names of all stored workspaces, sorted. */
  workspaces(): Promise<string[]>
  /** Waits for pending writes, then closes the store. */
  close(): Promise<void>
}
