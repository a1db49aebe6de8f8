import type { Named } from '../../protocol/name-space.ts'
import { type Caller, nameOf } from '../sync/principal.ts'
import { credentialKey } from './stored/log.ts'
import type { AuditEntry, Credential } from './stored/records.ts'
import type { AccessState } from './stored/state.ts'

/** Longest name stored with a credential (UTF-16 units). */
export const MAX_NAME = 64
/** Longest note on a refusal (UTF-16 units). */
const MAX_NOTE = 200

/** Changes that no caller waits for: new names of agents, and refusals. All that came until their turn is stored together. */
export class DeferredWrites {
  readonly #state: AccessState
  /** By credential key. */
  readonly #renamed = new Map<string, Named & { workspace: string }>()
  #notes: AuditEntry[] = []
  #isScheduled = false

  constructor(state: AccessState) {
    this.#state = state
  }

  rename(agent: string, workspace: string, called: string): void {
    const known = this.#state.credentials.get(workspace, agent)
    const name = called.slice(0, MAX_NAME)
    if (known === undefined || this.nameOf(known) === name) return
    this.#renamed.set(credentialKey(known), { id: agent, workspace, name })
    this.#schedule()
  }

  /** Its newest name, which may not be on disk yet. */
  nameOf(one: Credential): string {
    return this.#renamed.get(credentialKey(one))?.name ?? one.name
  }

  /** Notes a refusal in the audit log; of one agent's at most one per second. */
  refused(by: Caller, workspace: string, note: string): void {
    const [name, at] = [nameOf(by), this.#state.now()]
    if (!this.#state.audit.isDue(name, at)) return
    const entry = {
      at,
      what: 'refused',
      workspace,
      by: name,
      note: note.slice(0, MAX_NOTE),
    } as const
    this.#notes.push(entry)
    this.#schedule()
  }

  #schedule(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    this.#state.turn(() => this.#store()).catch(() => {}) // the log reports a failed write itself
  }

  async #store(): Promise<void> {
    this.#isScheduled = false
    const [renamed, notes] = [[...this.#renamed], this.#notes]
    this.#notes = []
    const { credentials, audit } = this.#state
    const named = renamed.flatMap(([, { id, workspace, name }]) => {
      const one = credentials.get(workspace, id)
      return one === undefined ? [] : [{ ...one, name }]
    })
    try {
      await this.#state.write(credentials.put(...named), audit.add(notes))
    } finally {
      // A name that changed again in the meantime is stored by the next turn.
      for (const [key, one] of renamed) {
        if (this.#renamed.get(key) === one) this.#renamed.delete(key)
      }
    }
  }
}
