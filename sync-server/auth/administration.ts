import { nameOf, type Principal } from '../sync/principal.ts'
import type { NewInvite } from './stored/invites.ts'
import type { AuditEntry, Invite } from './stored/records.ts'
import { newSecret } from './stored/secrets.ts'
import type { AccessState } from './stored/state.ts'

interface Made {
  invite: Invite
  secret: string
}

/** Invites, revocations, new workspaces and recovery. Every change is in the audit log. */
export class Administration {
  readonly #state: AccessState

  constructor(state: AccessState) {
    this.#state = state
  }

  /** Makes a workspace, durably, unless it exists. Throws `bad_name`, `too_many`. */
  create(name: string, by: string): Promise<void> {
    return this.#state.turn(() => this.#state.create(name, by))
  }

  /** Makes an invite or a token. The secret is in the answer and nowhere else. Throws `quota`. */
  invite(wanted: NewInvite, by: Principal): Promise<Made> {
    return this.#state.turn(() => this.#invite(wanted, by))
  }

  async #invite(wanted: NewInvite, by: Principal): Promise<Made> {
    const secret = newSecret(wanted.http === undefined ? 'invite' : 'http')
    const { invite, changes } = this.#state.invites.add(wanted, secret, nameOf(by))
    const what = invite.agent === undefined ? 'invited' : 'rotating'
    const whom = invite.agent ?? (invite.http === undefined ? undefined : `token ${invite.http}`)
    const text = `${invite.id}: ${invite.role}${whom === undefined ? '' : `, ${whom}`}`
    const note = this.#state.note(what, invite.workspace, nameOf(by), text)
    await this.#state.write(...changes, note)
    return { invite, secret }
  }

  /** Open invites, and tokens. `workspace` null: of all. */
  invites(workspace: string | null): Invite[] {
    const { open } = this.#state.invites
    return open.filter((one) => workspace === null || one.workspace === workspace)
  }

  /** An invite that replaces an agent's credential, which stays good until then. Throws `unknown_agent`, `ambiguous`. */
  rotate(agent: string, workspace: string | null, by: Principal, expiresAt: number): Promise<Made> {
    return this.#state.turn(async () => {
      const known = this.#state.credentials.find(agent, workspace)
      const { role } = known
      const wanted = { workspace: known.workspace, role, uses: 1, expiresAt, agent: known.agent }
      return this.#invite(wanted, by)
    })
  }

  /** Ends a credential, an invite or a token, at once. Throws `unknown_agent`, `ambiguous`. */
  revoke(which: string, workspace: string | null, by: Principal): Promise<void> {
    return this.#state.turn(async () => {
      const state = this.#state
      const removed = state.invites.remove(which, workspace)
      if (removed !== null) {
        await state.write(removed, state.note('revoked', workspace, nameOf(by), which))
        for (const one of state.credentials.byToken(which)) {
          state.listener.onEnded(one.agent, one.workspace, true)
        }
        return
      }
      const known = state.credentials.find(which, workspace)
      if (known.revokedAt !== undefined) return
      const one = { ...known, revokedAt: state.now() }
      const note = state.note('revoked', one.workspace, nameOf(by), one.agent)
      await state.write(state.credentials.put(one), note)
      state.listener.onEnded(one.agent, one.workspace, true)
    })
  }

  /** Accepts from clients, for this long (ms), others' operations that the server lacks. Resolves to the end, ISO 8601. */
  recover(forMs: number, by: Principal): Promise<string> {
    return this.#state.turn(async () => {
      const end = this.#state.now() + forMs
      const until = new Date(end).toISOString()
      const note = this.#state.note('recovering', null, nameOf(by), `until ${until}`)
      await this.#state.write(this.#state.recoverUntil(end), note)
      return until
    })
  }

  /** The newest entries of the audit log. `workspace` null: of all. */
  audit(workspace: string | null, limit: number): AuditEntry[] {
    return this.#state.audit.newest(workspace, limit)
  }
}
