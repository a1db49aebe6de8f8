import type * as Y from 'yjs'
import type { Owned } from '../storage/update-log.ts'
import type { Principal } from './principal.ts'
import type { Decoded } from './updates/check.ts'

/** Says whose words an update may be, before it touches a room's document. One a room. */
export interface Gate {
  /** Sets the owners of Yjs client ids, as stored. */
  open(owners: Map<number, string>): void
  /** From now on this is the room's document, and the server writes under `server`. */
  adopt(doc: Y.Doc, server: number): void
  /**
   * Looks at an update that can be applied, of which `clocks` has what is known already. Throws WireError where it says
   * something in another's name; false: it may not change anything, and does not ask to.
   */
  admit(
    by: Principal,
    decoded: Decoded,
    clocks: ReadonlyMap<number, number>,
    isSyncStep2: boolean,
  ): boolean
  /** Takes `bytes` of an agent's share of the document for messages and tasks; returns false where less is left. */
  takeShare(agent: string, bytes: number): boolean
  /** The number of new Yjs client ids that it may still bring. */
  mostNewIds(by: Principal): number
  /** The agent that has written under a client id, or shows it; undefined for nobody. */
  holderOf(client: number): string | undefined
  /** Nobody else is to write under this client id for as long as `agent` shows it; false: it is another's, or one too many. */
  reserve(client: number, agent: string): boolean
  /** It is not shown any more: unless something was written under it, it is nobody's again. */
  release(client: number): void
  /** The server writes under this client id for its owner. Throws where it is another's. */
  own(client: number, owner: string): void
  /** All admitted updates are in the document. */
  applied(): void
  /** Client ids that got an owner since the last call. */
  takeOwned(): Owned[]
}
