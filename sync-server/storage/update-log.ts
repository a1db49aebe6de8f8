import type { Op } from './integrity/level-keys.ts'
import type { VersionLog } from './version-log.ts'

/** A workspace as it is on disk: the checkpoint, and the updates after it in the order they were accepted. */
export interface Stored {
  checkpoint: Uint8Array | null
  tail: Uint8Array[]
  /** Position of the newest record in here; 0 for an empty log. */
  seq: number
}

/** What the archive is divided into; the log knows no more of it than the name. */
export type Shelf = 'broadcasts' | 'tasks'

/** Something taken out of a document, to be kept apart from it. */
export interface Archivable {
  /** Each shelf of a workspace's archive has positions of its own: 1, 2, 3 … */
  shelf: Shelf
  /** What it can be found by; null: by nothing. */
  id: string | null
  value: Uint8Array
}

/** Where what the server knows beside the documents is kept: who its members are, what it holds for HTTP agents. */
export interface FactLog {
  /** Null where there is none with this key. */
  get(key: string): Promise<unknown>
  /** All entries whose key begins so, in the order of their keys. */
  entries(prefix: string): Promise<{ key: string; json: unknown }[]>
  /** Stores all of it, or none, durably. */
  put(ops: Op[]): Promise<void>
}

/** A Yjs client id and whose it is from now on. */
export interface Owned {
  client: number
  owner: string
}

/**
 * The truth about every workspace: a log of Yjs updates, of which a document is the fold. Implementations share
 * the contract suite in test/support/sync-server/update-log-contract.ts.
 */
export interface UpdateLog {
  /** Beside the updates; stored by the same group commit, which is refused after the same failures. */
  readonly versions: VersionLog
  /** Beside it, in the same way. */
  readonly facts: FactLog
  /**
   * Adds one record of updates and resolves to its position (1, 2, 3 … within the workspace) once it is on disk
   * for good: a power loss does not take it back. Records of one workspace are stored in the order of the calls.
   * Rejects if it could not be stored; the log then refuses everything that follows.
   *
   * `archived` is what these updates take out of the document. It is stored with them, both or neither, under the
   * next positions of its shelves. `owned` says whose the Yjs client ids are under which these updates are the first.
   * `facts` are stored with them, too; with no updates they are stored alone, and the position is that of the newest record.
   */
  append(
    workspace: string,
    updates: readonly Uint8Array[],
    archived?: readonly Archivable[],
    owned?: readonly Owned[],
    facts?: readonly Op[],
  ): Promise<number>
  /** Whose Yjs client ids are, by id. */
  owners(workspace: string): Promise<Map<number, string>>
  /**
   * What is archived after position `after`, in order: at most `limit`, and no more once `bytes` are reached, but
   * never nothing while there is something.
   */
  archived(
    workspace: string,
    shelf: Shelf,
    after: number,
    limit: number,
    bytes?: number,
  ): Promise<{ seq: number; value: Uint8Array }[]>
  /** Position of the newest archived entry; 0 where there is none. */
  archiveEnd(workspace: string, shelf: Shelf): Promise<number>
  /** Position of the archived entry with this id, of the newest if there are several; null where there is none. */
  archivePosition(workspace: string, shelf: Shelf, id: string): Promise<number | null>
  /** What is durable now. */
  load(workspace: string): Promise<Stored>
  /** Puts `checkpoint`, which must cover all records up to `seq`, in their place. */
  compact(workspace: string, seq: number, checkpoint: Uint8Array): Promise<void>
  /** Names of all workspaces that have anything stored, sorted. */
  workspaces(): Promise<string[]>
  /** Waits for what is under way. */
  close(): Promise<void>
}
