import type * as Y from 'yjs'
import type { Op } from '../storage/integrity/level-keys.ts'
import type { Archivable, UpdateLog } from '../storage/update-log.ts'
import type { Gate } from './gate.ts'
import type { Principal } from './principal.ts'
import type { Room } from './room.ts'

/** A room's interface to the server. A room does not know the content of its document. */
export interface RoomEnv {
  log: UpdateLog
  /** The most bytes of one awareness state, and of the document as it is stored. */
  maxAwareness: number
  maxDocument: number
  /** A reader that takes no data for this long is disconnected (milliseconds). */
  slowReaderMs: number
  now: () => number
  /** False while another process may own the workspace: what is in memory must not be shown. */
  mayRead: (workspace: string) => boolean
  /** True for the error of a write to a workspace that another process owns. */
  isMoved: (error: Error) => boolean
  /** Makes the gate that decides whose updates the document accepts. */
  gate: () => Gate
  /** Prepares a new workspace's document before the first client is answered. */
  prepare: (doc: Y.Doc, name: string) => void
  /** The Yjs client id under which the server writes into this document. */
  serverClient: (doc: Y.Doc) => number
  /** The task that an agent works on now; null: none, or the server cannot tell. */
  taskOf: (room: Room, agent: string) => string | null
  /** True if deleted text in the root of this name is kept. */
  keepsText: (root: string) => boolean
  /** Called when the room's document was loaded or rebuilt. */
  onDocument: (room: Room, doc: Y.Doc) => void
  /** One client's awareness state changed; JSON, `null` for none. */
  onAwareness: (room: Room, before: string, after: string) => void
  /**
   * Called when the room fails, or the store does; the room accepts and answers nothing afterwards.
   */
  onFailure: (room: Room, error: Error) => void
  /** Called when the document equals the state on disk; it does so until the call returns. */
  onCommit: (room: Room, updates: number, bytes: number, ms: number) => void
  /** Called when a connection is closed for a message of `bytes`, or for unread data (0). */
  onClose: (code: number, reason: string, by: Principal, bytes: number) => void
  /** Called when a client's message in another agent's name is rejected. */
  onForgery: (room: Room, by: Principal, what: string) => void
  /**
   * Returns true if the room must stay in memory without connections, for example for a running
   * timer.
   */
  keeps: (room: Room) => boolean
  /** Called after IDLE_ROOM_MS without a connection and without a command, once the checkpoint covers everything. */
  onIdle: (room: Room) => void
}

/**
 * A change by the server. Its archive entries (`archive`) and facts (`keep`) are stored atomically
 * with it.
 */
export type Change<T> = (
  doc: Y.Doc,
  archive: (entry: Archivable) => void,
  keep: (fact: Op) => void,
) => T
