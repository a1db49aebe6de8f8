/** A workspace as it is on disk: the checkpoint, and the updates after it in the order they were accepted. */
export interface Stored {
  checkpoint: Uint8Array | null
  tail: Uint8Array[]
  /** Position of the newest record in here; 0 for an empty log. */
  seq: number
}

/**
 * The truth about every workspace: a log of Yjs updates, of which a document is the fold. Implementations share
 * the contract suite in test/sync-server/update-log-contract.ts.
 */
export interface UpdateLog {
  /**
   * Adds one record of updates and resolves to its position (1, 2, 3 … within the workspace) once it is on disk
   * for good: a power loss does not take it back. Records of one workspace are stored in the order of the calls.
   * Rejects if it could not be stored; the log then refuses everything that follows.
   */
  append(workspace: string, updates: readonly Uint8Array[]): Promise<number>
  /** What is durable now. */
  load(workspace: string): Promise<Stored>
  /** Puts `checkpoint`, which must cover all records up to `seq`, in their place. */
  compact(workspace: string, seq: number, checkpoint: Uint8Array): Promise<void>
  /** Names of all workspaces that have anything stored, sorted. */
  workspaces(): Promise<string[]>
  /** Waits for what is under way. */
  close(): Promise<void>
}
