import type * as Y from 'yjs'
import type { Owned } from '../storage/update-log.ts'
import type { Principal } from './principal.ts'
import type { Decoded } from './updates/check.ts'

/** Says whose words an update may be, before it touches a room's document. One a room. */
export interface Gate {
  /** Whose the Yjs client ids are, as stored. */
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
  /** Takes so many bytes of what an agent's messages and tasks may have of the document; false: there are not as many left. */
  takeShare(agent: string, bytes: number): boolean
  /** How many Yjs client ids it may yet bring that nobody had (count). */
  mostNewIds(by: Principal): number
  /** Whose a client id is, as far as anybody has written under it or shows it; undefined: nobody's. */
  holderOf(client: number): string | undefined
  /** Nobody else is to write under this client id for as long as `agent` shows it; false: it is another's, or one too many. */
  reserve(client: number, agent: string): boolean
  /** It is not shown any more: unless something was written under it, it is nobody's again. */
  release(client: number): void
  /** The server writes under this client id for its owner. Throws where it is another's. */
  own(client: number, owner: string): void
  /** What was admitted is in the document. */
  applied(): void
  /** Client ids that got an owner since the last call. */
  takeOwned(): Owned[]
}
