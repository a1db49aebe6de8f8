import { ClawError } from '../../protocol/errors.ts'
import { checkFreeId, checkFreeName, type Named } from '../../protocol/name-space.ts'
import type { Role } from '../../protocol/roles.ts'
import { checkDisplayName, checkWorkspaceName } from '../../workspace/document/validate.ts'
import type { Caller, TokenHolder } from '../sync/principal.ts'
import type { Authenticator } from './authenticator.ts'
import { type DeferredWrites, MAX_NAME } from './deferred.ts'
import {
  type Credential,
  checkRequest,
  type Invite,
  type Joined,
  type JoinRequest,
  MAX_TOKEN_AGENTS,
  type Member,
  memberOf,
} from './stored/records.ts'
import { taken, tooManyAgents } from './stored/refusals.ts'
import { hashOf, newSecret } from './stored/secrets.ts'
import type { AccessState } from './stored/state.ts'

/** Former credentials remembered per agent (count); an older one counts as a guess. */
const MAX_REPLACED = 8

/** The agents that have joined workspaces, by an invite or by a token. */
export class Members {
  readonly #state: AccessState
  readonly #authenticator: Authenticator
  readonly #deferred: DeferredWrites

  constructor(state: AccessState, authenticator: Authenticator, deferred: DeferredWrites) {
    this.#state = state
    this.#authenticator = authenticator
    this.#deferred = deferred
  }

  /** `workspace` null: of all. */
  list(workspace: string | null): Member[] {
    const { credentials, workspaces } = this.#state
    return credentials
      .of(workspace)
      .filter((one) => workspaces.has(one.workspace))
      .map((one) => memberOf(one, this.#deferred.seenAt(one)))
  }

  /** Stores when each was last seen; at the end of the server. */
  storeSeen(): Promise<void> {
    return this.#deferred.storeSeen()
  }

  /** Notes that an agent's credential is in use; it is stored soon. */
  seen(by: Caller): void {
    if (by.kind === 'agent') this.#deferred.seen(by.agent, by.workspace)
  }

  /** True if this agent has, or had, a credential. */
  knows(workspace: string, agent: string): boolean {
    return this.#state.credentials.get(workspace, agent) !== undefined
  }

  isRevoked(workspace: string, agent: string): boolean {
    return this.#state.credentials.get(workspace, agent)?.revokedAt !== undefined
  }

  /** The agents of a workspace whose credential or token was revoked. */
  revoked(workspace: string): string[] {
    const { credentials, invites } = this.#state
    return credentials.revoked(workspace, (token) => invites.has(token))
  }

  /** The kind it joined as; undefined: it has not joined. */
  kindOf(workspace: string, agent: string): Credential['kind'] | undefined {
    return this.#state.credentials.get(workspace, agent)?.kind
  }

  /** The role of its credential; undefined: it has not joined. */
  roleOf(workspace: string, agent: string): Role | undefined {
    return this.#state.credentials.get(workspace, agent)?.role
  }

  /** The agents that speak by a token. */
  agentsOf({ id }: Pick<TokenHolder, 'id'>): string[] {
    return this.#state.credentials.byToken(id).map(({ agent }) => agent)
  }

  /** Ids and names of a workspace are one name space; an agent keeps the id it has. Throws `name_taken`. */
  checkNames(workspace: string, agent: string, name: string): void {
    const named = (one: Credential): Named => ({
      ...{ id: one.agent, name: this.#deferred.nameOf(one) },
    })
    const others = this.#state.credentials.of(workspace).map(named)
    if (!this.knows(workspace, agent)) checkFreeId(agent, others)
    if (name !== '') checkFreeName(agent, checkDisplayName('name', name), others)
  }

  /** The name of an agent changed; it is stored soon. */
  renamed(agent: string, workspace: string, name: string): void {
    this.#deferred.rename(agent, workspace, name)
  }

  /** Registers an agent with a token, durably, unless it is. Throws `forged`, `revoked`, `quota`, `name_taken`, `bad_name`. */
  adopt(by: TokenHolder, agent: string, name: string): Promise<void> {
    return this.#state.turn(async () => {
      const { workspace, id: invite, role } = by
      if (this.knows(workspace, agent)) {
        this.#authenticator.speakAs(by, agent, workspace)
        return
      }
      if (this.agentsOf(by).length >= MAX_TOKEN_AGENTS) throw tooManyAgents(MAX_TOKEN_AGENTS)
      this.checkNames(workspace, agent, name)
      const one: Credential = {
        ...{ agent, workspace, role, hash: '', invite, joinedAt: this.#state.now() },
        ...{ name: name.slice(0, MAX_NAME), kind: 'agent' },
      }
      const how = `${role} by token ${invite}`
      const note = this.#state.note('registered', workspace, agent, how)
      await this.#state.write(this.#state.credentials.put(one), note)
    })
  }

  /** Ends the registration of a token's agent, durably. Does nothing for any other agent. */
  forget(by: TokenHolder, agent: string): Promise<void> {
    return this.#state.turn(async () => {
      const { credentials } = this.#state
      const known = credentials.get(by.workspace, agent)
      if (known?.invite !== by.id || known.hash !== '') return
      const why = `of token ${by.id}: long gone`
      const note = this.#state.note('forgotten', by.workspace, agent, why)
      await this.#state.write(credentials.drop(known), note)
    })
  }

  /**
   * Trades an invite for a credential. The same request made again gets the same answer and counts once. Throws
   * `unauthorized` for an invite that is unknown or has ended, `not_allowed` for the id of another agent, `name_taken`.
   */
  join(request: JoinRequest): Promise<Joined> {
    return this.#state.turn(() => this.#join(request))
  }

  async #join(request: JoinRequest): Promise<Joined> {
    const { agent, invite: secret } = request
    const state = this.#state
    checkRequest(request)
    const invite = state.found(() => state.invites.find(secret))
    const workspace = workspaceFor(invite, request)
    if (invite.workspace === null && request.create === true) await state.create(workspace, agent)
    state.workspaces.check(workspace)
    const credential = request.credential ?? newSecret('credential')
    const hash = hashOf(credential)
    const known = state.credentials.get(workspace, agent)
    const joined = { credential, workspace, role: invite.role, agent_id: agent }
    const isAgain = known?.hash === hash && known.invite === invite.id
    if (isAgain && known.revokedAt === undefined) return joined
    state.invites.check(invite)
    if (state.credentials.withHash(hash) !== undefined) throw taken(agent)
    checkMayBe(invite, known, request)
    this.checkNames(workspace, agent, request.name ?? '')
    const one: Credential = {
      ...{ agent, workspace, role: invite.role, hash, invite: invite.id, joinedAt: state.now() },
      name: (request.name ?? known?.name ?? '').slice(0, MAX_NAME),
      kind: request.kind ?? 'agent',
      ...replacing(known),
    }
    const note = state.note('joined', workspace, agent, `${invite.role} by invite ${invite.id}`)
    await state.write(state.credentials.put(one), state.invites.use(invite), note)
    if (known !== undefined) state.listener.onEnded(agent, workspace, false)
    return joined
  }
}

/** Throws `bad_name`, `not_allowed`. */
const workspaceFor = (invite: Invite, { workspace: wanted }: JoinRequest): string => {
  const workspace = checkWorkspaceName(invite.workspace ?? wanted ?? 'default')
  if (wanted === undefined || wanted === workspace) return workspace
  throw new ClawError(
    'not_allowed',
    `the invite is for the workspace "${workspace}"`,
    `join that one, or ask for an invite to "${wanted.slice(0, 80)}"`,
  )
}

/** Throws `not_allowed` where the invite does not give that agent's id. */
const checkMayBe = (
  invite: Invite,
  known: Credential | undefined,
  { agent, old }: JoinRequest,
): void => {
  if (invite.agent !== undefined && invite.agent !== agent) throw taken(invite.agent)
  if (known === undefined || invite.id === 'local' || invite.agent === agent) return
  const showsOld = old !== undefined && known.hash === hashOf(old)
  if (known.revokedAt !== undefined || !showsOld) throw taken(agent)
}

/** The hashes of the credentials that a new one replaces. */
const replacing = (known: Credential | undefined): Pick<Credential, 'replaced'> =>
  known === undefined || known.hash === ''
    ? {}
    : { replaced: [...(known.replaced ?? []), known.hash].slice(-MAX_REPLACED) }
