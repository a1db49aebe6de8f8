import type { Caller } from '../sync/principal.ts'
import { Administration } from './administration.ts'
import { Authenticator } from './authenticator.ts'
import { DeferredWrites } from './deferred.ts'
import { Members } from './members.ts'
import type { AuditEntry } from './stored/records.ts'
import { AccessState, type Most, type Stored } from './stored/state.ts'
import type { Workspaces } from './stored/workspaces.ts'

/** Access to the server's workspaces: who the callers are, the agents that joined, and administration. */
export class AccessStore {
  /** Called with each agent whose connections must end, after its credential was revoked or replaced. */
  onEnded: (agent: string, workspace: string, isRevoked: boolean) => void = () => {}
  /** Called with each entry of the audit log once it is stored. */
  onNoted: (entry: AuditEntry) => void = () => {}
  /** Called with each agent whose role changed. */
  onRole: (agent: string, workspace: string) => void = () => {}
  /** Called with each workspace that was removed. */
  onRemoved: (workspace: string) => void = () => {}
  readonly authenticator: Authenticator
  readonly members: Members
  readonly admin: Administration
  readonly #state: AccessState
  readonly #deferred: DeferredWrites

  private constructor(state: AccessState) {
    this.#state = state
    this.#deferred = new DeferredWrites(state)
    this.authenticator = new Authenticator(state)
    this.members = new Members(state, this.authenticator, this.#deferred)
    this.admin = new Administration(state)
  }

  static async open(log: Stored, now: () => number, most: Most): Promise<AccessStore> {
    const state = await AccessState.open(log, now, most, {
      onEnded: (...ended) => store.onEnded(...ended),
      onNoted: (entry) => store.onNoted(entry),
      onRole: (...changed) => store.onRole(...changed),
      onRemoved: (workspace) => store.onRemoved(workspace),
    })
    const store = new AccessStore(state)
    return store
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

  /** Notes a refusal in the audit log; of one agent's at most one per second. */
  refused(by: Caller, workspace: string, note: string): void {
    this.#deferred.refused(by, workspace, note)
  }
}
