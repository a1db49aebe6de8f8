import type { ChainEntry, Head } from './chain.ts'

/** A checkpoint as stored. */
export interface StoredCheckpoint {
  /** Position of the newest record that it covers. */
  seq: number
  slot: number
  value: Uint8Array
}

/**
 * The hash chain over the records of each workspace's log. head(n) = SHA-256(head(n-1) ‖ SHA-256(record n as stored)),
 * from SHA-256(workspace) on. What a checkpoint replaces stays as digests, in entries; the next record binds the newest
 * entry, and with it the checkpoint. The records before a checkpoint are kept until a client got a head that binds it,
 * or until the next checkpoint. Part of UpdateLog and its contract.
 */
export interface RecordLog {
  /** Reads a workspace's chain; the other methods need it. Throws Corruption. */
  open(workspace: string): Promise<void>
  /** The newest durable head, for a client that will keep it; null before `open`. */
  handOut(workspace: string): Head | null
  /** Digests of the durable records after a position, in order: at most `limit`. */
  digests(workspace: string, after: number, limit: number): Promise<Uint8Array[]>
  /** The head at a durable position; null if the chain has none there. */
  headAt(workspace: string, seq: number): Promise<Uint8Array | null>
  /** Notes durably that a workspace was brought back from a backup. */
  noteRestored(workspace: string): Promise<void>
  /** The entries, in order, as stored. Throws on a damaged one. */
  entries(workspace: string): AsyncIterable<{ entry: ChainEntry; value: Uint8Array }>
  /** All records on disk as stored, in order; also those that a checkpoint covers. */
  records(workspace: string): AsyncIterable<{ seq: number; value: Uint8Array }>
  /** The checkpoints on disk, oldest first: at most two. */
  checkpoints(workspace: string): Promise<StoredCheckpoint[]>
}
