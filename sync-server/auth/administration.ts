import { ClawError } from '../../protocol/errors.ts'
import type { Role } from '../../protocol/roles.ts'
import { nameOf, type Principal } from '../sync/principal.ts'
import type { NewInvite } from './stored/invites.ts'
import type { AuditEntry, Credential, Invite } from './stored/records.ts'
import { newSecret } from './stored/secrets.ts'
import type { AccessState } from './stored/state.ts'
import type { Change } from './stored/writes.ts'

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

  /** Gives an agent another role, in place of its present one. Throws `unknown_agent`, `ambiguous`, `not_allowed` for one that speaks by a token. */
  setRole(which: string, role: Role, workspace: string | null, by: Principal): Promise<Credential> {
    return this.#state.turn(async () => {
      const state = this.#state
      const known = state.credentials.find(which, workspace)
      if (known.hash === '' || known.revokedAt !== undefined) {
        throw new ClawError(
          'not_allowed',
          known.hash === ''
            ? `${known.agent} speaks by the token ${known.invite}, which has the role`
            : `the credential of ${known.agent} was revoked`,
          known.hash === ''
            ? 'make another token: clawlink-sync invite --http --role ROLE'
            : `give it a new link: clawlink-sync rotate ${known.agent}`,
        )
      }
      if (known.role === role) return known
      const one = { ...known, role }
      const text = `${one.agent}: ${known.role} to ${role}`
      const note = state.note('role', one.workspace, nameOf(by), text)
      await state.write(state.credentials.put(one), note)
      state.listener.onRole(one.agent, one.workspace)
      return one
    })
  }

  /** Has the host call a workspace by another name, durably. Throws `unknown_workspace`, `bad_name`, `name_taken`. */
  rename(name: string, called: string, by: Principal): Promise<void> {
    return this.#change('renamed', name, by, `called ${called}`, (now) =>
      this.#state.workspaces.rename(name, called, now),
    )
  }

  /** Removes a workspace, durably; its data stay. Throws `unknown_workspace`, `usage` for `default`. */
  async remove(name: string, by: Principal): Promise<void> {
    await this.#change('removed', name, by, '', (now) => this.#state.workspaces.remove(name, now))
    const agents = this.#state.credentials.of(name).map(({ agent }) => agent)
    this.#state.listener.onRemoved(name, agents)
  }

  /** Brings a removed workspace back, durably. Throws `unknown_workspace`, `too_many`. */
  restore(name: string, by: Principal): Promise<void> {
    return this.#change('restored', name, by, '', () => this.#state.workspaces.restore(name))
  }

  /**
   * Has `work` delete all that is stored of a removed workspace, and frees its name, durably; `work` resolves to what the
   * audit log says of it. After a crash only another purge does anything to it. Throws `unknown_workspace`.
   */
  async purge(name: string, by: Principal, work: () => Promise<string>): Promise<void> {
    const state = this.#state
    // Others' changes need not wait for the work.
    await state.turn(async () => {
      await state.write(state.workspaces.purging(name, state.now()))
      state.credentials.unload(name)
      state.invites.unload(name)
    })
    const done = await work()
    await state.turn(async () => {
      const note = state.note('purged', name, nameOf(by), done)
      await state.write(state.workspaces.purged(name), note)
    })
  }

  #change(
    what: AuditEntry['what'],
    name: string,
    by: Principal,
    text: string,
    change: (now: number) => Change,
  ): Promise<void> {
    const state = this.#state
    return state.turn(() =>
      state.write(change(state.now()), state.note(what, name, nameOf(by), text)),
    )
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
