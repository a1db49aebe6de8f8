import type { Caller } from '../sync/principal.ts'
import { Administration } from './administration.ts'
import { Authenticator } from './authenticator.ts'
import { DeferredWrites } from './deferred.ts'
import { Members } from './members.ts'
import type { AuditEntry } from './stored/records.ts'
import { AccessState, type Creating, type Most, type Stored } from './stored/state.ts'
import type { Workspaces } from './stored/workspaces.ts'

/** Access to the server's workspaces: who the callers are, the agents that joined, and administration. */
export class AccessStore {
  /** Called with each agent whose connections must end, after its credential was revoked or replaced. */
  onEnded: (agent: string, workspace: string, isRevoked: boolean) => void = () => {}
  /** Called with each entry of the audit log once it is stored. */
  onNoted: (entry: AuditEntry) => void = () => {}
  /** Called with each agent whose role changed. */
  onRole: (agent: string, workspace: string) => void = () => {}
  /** Called with each workspace that was removed, and the agents that had joined it. */
  onRemoved: (workspace: string, agents: readonly string[]) => void = () => {}
  readonly authenticator: Authenticator
  readonly members: Members
  readonly admin: Administration
  readonly #state: AccessState
  readonly #deferred: DeferredWrites
  #overAll: () => Promise<AccessStore> = async () => this

  private constructor(state: AccessState) {
    this.#state = state
    this.#deferred = new DeferredWrites(state)
    this.authenticator = new Authenticator(state)
    this.members = new Members(state, this.authenticator, this.#deferred)
    this.admin = new Administration(state)
  }

  /** `creating`: of a node of a cluster, which loads the workspaces that it owns one by one; else it has all. */
  static async open(
    log: Stored,
    now: () => number,
    most: Most,
    creating: Creating | null = null,
  ): Promise<AccessStore> {
    const listener = {
      onEnded: (...ended: [string, string, boolean]) => store.onEnded(...ended),
      onNoted: (entry: AuditEntry) => store.onNoted(entry),
      onRole: (agent: string, workspace: string) => store.onRole(agent, workspace),
      onRemoved: (...removed: [string, readonly string[]]) => store.onRemoved(...removed),
    }
    const state = await AccessState.open(log, now, most, listener, creating)
    const store: AccessStore = new AccessStore(state)
    store.#overAll = creating === null ? async () => store : () => AccessStore.open(log, now, most)
    return store
  }

  /** A view of all workspaces, as stored now, to be read only: those that other nodes own included. */
  overAll(): Promise<AccessStore> {
    return this.#overAll()
  }

  /** Takes over a workspace that this node has claimed. Rejects if it cannot be read. */
  load(workspace: string): Promise<void> {
    return this.#state.load(workspace)
  }

  /** Forgets workspaces that this node does not own any more. */
  unload(workspaces: readonly string[]): void {
    for (const workspace of workspaces) this.#state.unload(workspace)
  }

  /** Resolves once all changes that were asked for so far are stored, or could not be. */
  settled(): Promise<void> {
    return this.#state.turn(async () => {})
  }

  /** Set by another node: until when others' operations are taken back (milliseconds since the epoch). */
  set recovering(time: number) {
    this.#state.recovering = time
  }

  get workspaces(): Workspaces {
    return this.#state.workspaces
  }

  /** True after a restore: clients may give back others' operations that the server lacks. */
  get isRecovering(): boolean {
    return this.#state.isRecovering
  }

  /** Reads everything again: after a failed write it is unknown what is on disk. */
  reload(): Promise<void> {
    return this.#state.reload()
  }

  /** Notes a failed sign-in of an address in the audit log, or that it is locked out for a while. */
  rejected(what: 'rejected' | 'locked', address: string, why: string): void {
    this.#deferred.rejected(what, address, why)
  }

  /** Notes a refusal in the audit log; of one agent's at most one per second. */
  refused(by: Caller, workspace: string, note: string): void {
    this.#deferred.refused(by, workspace, note)
  }
}
