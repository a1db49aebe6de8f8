import type { Named } from '../../protocol/name-space.ts'
import { type Caller, nameOf } from '../sync/principal.ts'
import { credentialKey } from './stored/log.ts'
import type { AuditEntry, Credential } from './stored/records.ts'
import type { AccessState } from './stored/state.ts'

/** Longest name stored with a credential (UTF-16 units). */
export const MAX_NAME = 64
/** Longest note on a refusal (UTF-16 units). */
const MAX_NOTE = 200

/** Shortest time between two entries about failed sign-ins for one reason (milliseconds). */
const REJECTED_GAP_MS = 10_000
/** A credential's last use is stored at most this often (milliseconds): a day has 144 of these. */
const SEEN_GRAIN_MS = 10 * 60_000

/** Changes that no caller waits for: new names of agents, their last use, and refusals. All that came until their turn is stored together. */
export class DeferredWrites {
  readonly #state: AccessState
  /** By credential key. */
  readonly #renamed = new Map<string, Named & { workspace: string }>()
  /** When credentials were last used (milliseconds), by their keys. */
  readonly #seen = new Map<string, number>()
  /** Keys of those whose last use is to be stored. */
  readonly #unstored = new Set<string>()
  #notes: AuditEntry[] = []
  /** Failed sign-ins that the audit log does not have, by their reason (count). */
  readonly #left = new Map<string, number>()
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

  /** Notes that a credential is in use. */
  seen(agent: string, workspace: string): void {
    const known = this.#state.credentials.get(workspace, agent)
    if (known === undefined) return
    const [key, now] = [credentialKey(known), this.#state.now()]
    this.#seen.set(key, now)
    const stored = known.seenAt ?? known.joinedAt
    if (now - stored < SEEN_GRAIN_MS || this.#unstored.has(key)) return
    this.#unstored.add(key)
    this.#schedule()
  }

  /** Stores when each credential was last used; at the end of the server. */
  storeSeen(): Promise<void> {
    for (const key of this.#seen.keys()) this.#unstored.add(key)
    return this.#state.turn(() => this.#store())
  }

  /** When a credential was last used (milliseconds); undefined: unknown. */
  seenAt(one: Credential): number | undefined {
    return this.#seen.get(credentialKey(one)) ?? one.seenAt
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

  /**
   * Notes a failed sign-in, or that an address has to wait after several; of each reason at most one per 10 s, with the
   * count of those in between: a flood must not push other entries out.
   */
  rejected(what: 'rejected' | 'locked', address: string, why: string): void {
    const at = this.#state.now()
    const left = this.#left.get(why) ?? 0
    if (!this.#state.audit.isDue(`${what} ${why}`, at, REJECTED_GAP_MS)) {
      this.#left.set(why, left + 1)
      return
    }
    this.#left.delete(why)
    const more = left === 0 ? '' : `, and ${left} more since the last entry`
    const note = `${why.slice(0, MAX_NOTE)}${more}`
    this.#notes.push({ at, what, workspace: null, by: address, note })
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
    if (this.#seen.size > credentials.size) {
      for (const key of this.#seen.keys()) {
        if (credentials.withKey(key) === undefined) this.#seen.delete(key)
      }
    }
    const seen = [...this.#unstored].filter((key) => this.#seen.has(key))
    this.#unstored.clear()
    const changed = new Map<string, Credential>()
    for (const [key, { id, workspace, name }] of renamed) {
      const one = credentials.get(workspace, id)
      if (one !== undefined) changed.set(key, { ...one, name })
    }
    for (const key of seen) {
      const one = changed.get(key) ?? credentials.withKey(key)
      if (one !== undefined) changed.set(key, { ...one, seenAt: this.#seen.get(key)! })
    }
    try {
      await this.#state.write(credentials.put(...changed.values()), audit.add(notes))
    } finally {
      // A name that changed again in the meantime is stored by the next turn.
      for (const [key, one] of renamed) {
        if (this.#renamed.get(key) === one) this.#renamed.delete(key)
      }
    }
  }
}
