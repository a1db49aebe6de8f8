import type * as Y from 'yjs'
import type { Op } from '../storage/integrity/level-keys.ts'
import type { Archivable, UpdateLog } from '../storage/update-log.ts'
import type { Gate } from './gate.ts'
import type { Principal } from './principal.ts'
import type { Room } from './room.ts'

/** A room's seam to the server; a room knows nothing of what is in its document. */
export interface RoomEnv {
  log: UpdateLog
  /** The most bytes of one awareness state, and of the document as it is stored. */
  maxAwareness: number
  maxDocument: number
  /** A reader that takes nothing for this long is cut off (milliseconds). */
  slowReaderMs: number
  now: () => number
  /** Makes the gate that decides whose updates the document accepts. */
  gate: () => Gate
  /** Writes into a new workspace's document, before the first client is answered. */
  prepare: (doc: Y.Doc, name: string) => void
  /** The Yjs client id under which the server writes into this document. */
  serverClient: (doc: Y.Doc) => number
  /** This is the room's document from now on: it was loaded, or had to be built again. */
  onDocument: (room: Room, doc: Y.Doc) => void
  /** One client's awareness state changed; JSON, `null` for none. */
  onAwareness: (room: Room, before: string, after: string) => void
  /** The room accepts and answers nothing any more: the store failed, or the room did. */
  onFailure: (room: Room, error: Error) => void
  /** The document holds what is on disk, until this returns. */
  onCommit: (room: Room, updates: number, bytes: number, ms: number) => void
  /** A connection had to be closed, for a message that it sent (of `bytes`) or for what it did not read (0). */
  onClose: (code: number, reason: string, by: Principal, bytes: number) => void
  /** A client spoke in another's name, and was rejected. */
  onForgery: (room: Room, by: Principal, what: string) => void
  /** Returns true where the room must stay in memory without connections, as where time runs for something in it. */
  keeps: (room: Room) => boolean
  /** No connection for IDLE_ROOM_MS, and everything is in the checkpoint. */
  onIdle: (room: Room) => void
}

/** A change of the server's own. Entries for `archive` and facts for `keep` are stored with it, all or nothing. */
export type Change<T> = (
  doc: Y.Doc,
  archive: (entry: Archivable) => void,
  keep: (fact: Op) => void,
) => T
