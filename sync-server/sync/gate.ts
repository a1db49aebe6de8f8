import type * as Y from 'yjs'
import type { Owned } from '../storage/update-log.ts'
import type { Principal } from './principal.ts'
import type { Decoded } from './updates/check.ts'

/**
 * Decides which agents' changes an update may hold, before it is applied to a room's document. One
 * per room.
 */
export interface Gate {
  /** Sets the owners of Yjs client ids, as stored. */
  open(owners: Map<number, string>): void
  /** Sets the room's document, and the Yjs client id under which the server writes. */
  adopt(doc: Y.Doc, server: number): void
  /**
   * Checks an applicable update against the known `clocks`. Throws WireError if it writes in
   * another agent's name; returns false if the sender may not write and the update changes nothing.
   */
  admit(
    by: Principal,
    decoded: Decoded,
    clocks: ReadonlyMap<number, number>,
    isSyncStep2: boolean,
  ): boolean
  /**
   * Takes `bytes` of an agent's share of the document for messages and tasks; returns false if less
   * is left.
   */
  takeShare(agent: string, bytes: number): boolean
  /** New Yjs client ids that the agent may still use (count). */
  mostNewIds(by: Principal): number
  /** The agent that has written under a client id, or shows it; undefined for none. */
  holderOf(client: number): string | undefined
  /**
   * Reserves a client id for `agent` while the agent shows it. Returns false if it belongs to
   * another agent, or if the agent has too many.
   */
  reserve(client: number, agent: string): boolean
  /** Ends the reservation of a client id; without written operations it is free again. */
  release(client: number): void
  /**
   * Lets the server write under a client id for its owner. Throws if it belongs to another agent.
   */
  own(client: number, owner: string): void
  /** Notes that all admitted updates are in the document. */
  applied(): void
  /** Client ids that got an owner since the last call. */
  takeOwned(): Owned[]
}
