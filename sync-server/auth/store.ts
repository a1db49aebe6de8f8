import { ClawError } from '../../protocol/errors.ts'
import { checkFreeId, checkFreeName, type Named } from '../../protocol/name-space.ts'
import { isSecret, secretId } from '../../protocol/roles.ts'
import { checkName, checkWorkspaceName } from '../../workspace/document/validate.ts'
import type { UpdateLog } from '../storage/update-log.ts'
import { type Caller, nameOf, OWNER, type Principal, type TokenHolder } from '../sync/principal.ts'
import { AuditLog } from './audit.ts'
import { Credentials } from './credentials.ts'
import { InviteBook, type NewInvite } from './invites.ts'
import { credentialKey, putJson, RECOVERING_KEY, readAll } from './log.ts'
import {
  type AuditEntry,
  type Credential,
  checkRequest,
  type Invite,
  type Joined,
  type JoinRequest,
  MAX_TOKEN_AGENTS,
  type Member,
  memberOf,
} from './records.ts'
import { forged, replaced, revoked, taken, tooManyAgents, unknownCredential } from './refusals.ts'
import { hashOf, isSame, newSecret, proofOf } from './secrets.ts'
import { TICKET_MS, Tickets } from './tickets.ts'
import { Workspaces } from './workspaces.ts'
import { type Change, Writes } from './writes.ts'

/** Former credentials remembered per agent (count); an older one counts as a guess. */
const MAX_REPLACED = 8
/** Of a name so much is kept here (UTF-16 units). */
const MAX_NAME = 64

type Stored = Pick<UpdateLog, 'facts' | 'workspaces'>

/** How many there may be (count). */
interface Most {
  invites: number
  workspaces: number
}

/**
 * Who may do what: credentials, invites, and the log of what became of them. All of it is in memory, as it is on disk: a
 * change is stored first. Of secrets there are hashes only.
 */
export class AccessStore {
  /** Called with the agents whose connections must end, as they were revoked, or their credential replaced. */
  onEnded: (agent: string, workspace: string, isRevoked: boolean) => void = () => {}
  /** Called with what was entered into the audit log. */
  onNoted: (entry: AuditEntry) => void = () => {}
  workspaces: Workspaces
  readonly #log: Stored
  readonly #writes: Writes
  readonly #now: () => number
  readonly #most: Most
  #credentials: Credentials
  #audit: AuditLog
  #invites: InviteBook
  readonly #tickets = new Tickets()
  #owner = ''
  #recovering = 0
  /** Nobody waits for these to be stored: new names, by credential key, and notes. */
  readonly #renamed = new Map<string, Named & { workspace: string }>()
  #notes: AuditEntry[] = []
  #isNoting = false

  private constructor(
    log: Stored,
    now: () => number,
    stored: Awaited<ReturnType<typeof readAll>>,
    most: Most,
    workspaces: Workspaces,
  ) {
    this.workspaces = workspaces
    this.#log = log
    this.#writes = new Writes(log.facts)
    this.#now = now
    this.#most = most
    this.#audit = new AuditLog(stored.audit, (entry) => this.onNoted(entry))
    this.#invites = new InviteBook(stored.invites, now, most.invites)
    this.#recovering = stored.recovering
    this.#credentials = new Credentials(stored.credentials)
  }

  static async open(log: Stored, now: () => number, most: Most): Promise<AccessStore> {
    const workspaces = await Workspaces.open(log, most.workspaces)
    return new AccessStore(log, now, await readAll(log.facts), most, workspaces)
  }

  /** Makes a workspace, durably, where there is none of that name. Throws `bad_name`, `too_many`. */
  create(name: string, by: string): Promise<void> {
    return this.#writes.turn(() => this.#create(name, by))
  }

  async #create(name: string, by: string): Promise<void> {
    checkWorkspaceName(name)
    if (this.workspaces.has(name)) return
    await this.#writes.write(
      this.workspaces.add(name, this.#now()),
      this.#note('created', name, by, ''),
    )
  }

  /** Reads all of it again: of a write that failed nobody knows whether it is on disk. */
  reload(): Promise<void> {
    return this.#writes.turn(async () => {
      const stored = await readAll(this.#log.facts)
      this.workspaces = await Workspaces.open(this.#log, this.#most.workspaces)
      const { local } = this.#invites
      this.#audit = new AuditLog(stored.audit, (entry) => this.onNoted(entry))
      this.#invites = new InviteBook(stored.invites, this.#now, this.#most.invites)
      this.#invites.local = local
      this.#recovering = stored.recovering
      this.#credentials = new Credentials(stored.credentials)
    })
  }

  /** The owner's token, and an invite for the same user's programs on this machine: neither is stored here. */
  trust(owner: string, localInvite: string): void {
    this.#owner = hashOf(owner)
    this.#invites.local = hashOf(localInvite)
  }

  /** Whether others' operations are taken back from whoever has them: after a backup was restored. */
  get isRecovering(): boolean {
    return this.#recovering > this.#now()
  }

  /** Who shows this secret: the owner's, a credential or a token, never a ticket. Throws `unauthorized`, `revoked`. */
  authenticate(secret: string): Caller {
    const hash = hashOf(secret)
    if (this.#owner !== '' && isSame(hash, this.#owner)) return OWNER
    const token = isSecret('http', secret) ? this.#invites.token(hash) : null
    if (token !== null) {
      return { kind: 'token', id: token.id, workspace: token.workspace!, role: token.role }
    }
    return this.#speakerOf(hash)
  }

  /** Whether this secret is somebody's, but for tickets: to be asked often, of strangers, too. */
  isGood(secret: string): boolean {
    if (isSecret('ticket', secret)) return false
    try {
      this.authenticate(secret)
      return true
    } catch {
      return false
    }
  }

  /** Proves that this server knows a secret, without either side showing it. Throws `unauthorized`. */
  prove(id: string, nonce: string): string {
    const hash = this.#credentials.hashWith(id) ?? this.#invites.hashWith(id)
    if (hash !== null) return proofOf(hash, nonce)
    if (this.#owner !== '' && secretId(this.#owner) === id) return proofOf(this.#owner, nonce)
    throw unknownCredential()
  }

  #speakerOf(hash: string): Principal {
    const known = this.#credentials.withHash(hash)
    if (known === undefined) {
      const now = this.#credentials.replacing(hash)
      throw now === undefined ? unknownCredential() : replaced(now)
    }
    const { agent, workspace, role, revokedAt } = known
    if (revokedAt === undefined) return { kind: 'agent', agent, workspace, role }
    throw revoked(known)
  }

  /**
   * As whom somebody speaks who says that they are `agent`. Throws `forged` where that is somebody else, `not_registered`
   * where a token has not registered it, `revoked`.
   */
  speakAs(by: Caller, agent: string, workspace: string): Principal & { kind: 'agent' } {
    const known = this.#credentials.get(workspace, agent)
    if (by.kind === 'owner') return { kind: 'agent', agent, workspace, role: 'admin' }
    if (by.kind === 'agent') {
      if (by.agent === agent) return by
      throw forged(`this credential is ${by.agent}'s, and speaks for nobody else`)
    }
    if (known === undefined) {
      throw new ClawError(
        'not_registered',
        `no agent "${agent.slice(0, 80)}" is registered with this token`,
        'POST /register {"agent_id", "name"} first',
      )
    }
    if (known.hash !== '' || known.invite !== by.id) {
      throw forged(`${agent.slice(0, 80)} is somebody else's, not this token's`)
    }
    if (known.revokedAt !== undefined) throw revoked(known)
    return { kind: 'agent', agent, workspace, role: by.role }
  }

  /** Makes an agent a token's, durably, where it is nobody's yet. Throws `forged`, `revoked`, `quota`, `name_taken`, `bad_name`. */
  adopt(by: TokenHolder, agent: string, name: string): Promise<void> {
    return this.#writes.turn(async () => {
      const { workspace, id: invite, role } = by
      if (this.knows(workspace, agent)) {
        this.speakAs(by, agent, workspace)
        return
      }
      if (this.agentsOf(by).length >= MAX_TOKEN_AGENTS) throw tooManyAgents(MAX_TOKEN_AGENTS)
      this.checkNames(workspace, agent, name)
      const one: Credential = {
        ...{ agent, workspace, role, hash: '', invite, joinedAt: this.#now() },
        ...{ name: name.slice(0, MAX_NAME), kind: 'agent' },
      }
      const note = this.#note('registered', workspace, agent, `${role} by token ${invite}`)
      await this.#writes.write(this.#credentials.put(one), note)
    })
  }

  /** Makes an agent of a token nobody's again, durably. Does nothing for any other. */
  forget(by: TokenHolder, agent: string): Promise<void> {
    return this.#writes.turn(async () => {
      const known = this.#credentials.get(by.workspace, agent)
      if (known?.invite !== by.id || known.hash !== '') return
      const note = this.#note('forgotten', by.workspace, agent, `of token ${by.id}: long gone`)
      await this.#writes.write(this.#credentials.drop(known), note)
    })
  }

  /** What an agent is called from now on. */
  named(agent: string, workspace: string, called: string): void {
    const known = this.#credentials.get(workspace, agent)
    const name = called.slice(0, MAX_NAME)
    if (known === undefined || this.#nameOf(known) === name) return
    this.#renamed.set(credentialKey(known), { id: agent, workspace, name })
    this.#noteSoon()
  }

  /** Its name, also one that is not on disk yet. */
  #nameOf(one: Credential): string {
    return this.#renamed.get(credentialKey(one))?.name ?? one.name
  }

  /** Stores together what comes until its turn. */
  #noteSoon(): void {
    if (this.#isNoting) return
    this.#isNoting = true
    const store = async (): Promise<void> => {
      this.#isNoting = false
      const [renamed, notes] = [[...this.#renamed], this.#notes]
      this.#notes = []
      const named = renamed.flatMap(([, { id, workspace, name }]) => {
        const one = this.#credentials.get(workspace, id)
        return one === undefined ? [] : [{ ...one, name }]
      })
      try {
        await this.#writes.write(this.#credentials.put(...named), this.#audit.add(notes))
      } finally {
        // One that was renamed again meanwhile is stored by the next turn.
        for (const [key, one] of renamed) {
          if (this.#renamed.get(key) === one) this.#renamed.delete(key)
        }
      }
    }
    this.#writes.turn(store).catch(() => {}) // the store says so itself
  }

  /** The agents that speak by a token. */
  agentsOf({ id }: Pick<TokenHolder, 'id'>): string[] {
    return this.#credentials.byToken(id).map(({ agent }) => agent)
  }

  /** Whether somebody has a credential, or had one, as this agent. */
  knows(workspace: string, agent: string): boolean {
    return this.#credentials.get(workspace, agent) !== undefined
  }

  /** Whether the credential that an agent had ended. */
  isRevoked(workspace: string, agent: string): boolean {
    return this.#credentials.get(workspace, agent)?.revokedAt !== undefined
  }

  /** As what an agent joined; undefined: it has not. */
  kindOf(workspace: string, agent: string): Credential['kind'] | undefined {
    return this.#credentials.get(workspace, agent)?.kind
  }

  /** A short-lived stand-in for the secret, good for one WebSocket. */
  ticket(secret: string): { ticket: string; expires_in: number } {
    const speaker = this.authenticate(secret)
    if (speaker.kind === 'token') throw unknownCredential()
    const holder = speaker.kind === 'owner' ? null : hashOf(secret)
    return { ticket: this.#tickets.issue(holder, this.#now()), expires_in: TICKET_MS / 1000 }
  }

  /** Whose ticket this is; it stays good until `spendTicket`. Throws `unauthorized`, `revoked`. */
  ofTicket(ticket: string): Principal {
    const holder = this.#tickets.holderOf(ticket, this.#now())
    return holder === null ? OWNER : this.#speakerOf(holder)
  }

  /** The WebSocket that it was shown for is open: it opens no other. */
  spendTicket(ticket: string): void {
    this.#tickets.spend(ticket)
  }

  /**
   * Trades an invite for a credential. The same request made again is answered again and counts once. Throws
   * `unauthorized` for an invite that is none (any more), `not_allowed` for an agent that somebody else is, `name_taken`.
   */
  join(request: JoinRequest): Promise<Joined> {
    return this.#writes.turn(() => this.#join(request))
  }

  async #join(request: JoinRequest): Promise<Joined> {
    const { agent, invite: secret } = request
    checkRequest(request)
    const invite = this.#invites.find(secret)
    const workspace = invite.workspace ?? request.workspace ?? 'default'
    checkWorkspaceName(workspace)
    if (request.workspace !== undefined && request.workspace !== workspace) {
      throw new ClawError(
        'not_allowed',
        `the invite is for the workspace "${workspace}"`,
        `join that one, or ask for an invite to "${request.workspace.slice(0, 80)}"`,
      )
    }
    if (invite.workspace === null && request.create === true) await this.#create(workspace, agent)
    this.workspaces.check(workspace)
    const credential = request.credential ?? newSecret('credential')
    const hash = hashOf(credential)
    const known = this.#credentials.get(workspace, agent)
    const joined = { credential, workspace, role: invite.role, agent_id: agent }
    const isAgain = known?.hash === hash && known.invite === invite.id
    if (isAgain && known.revokedAt === undefined) return joined
    this.#invites.check(invite)
    if (this.#credentials.withHash(hash) !== undefined) throw taken(agent)
    if (invite.agent !== undefined && invite.agent !== agent) throw taken(invite.agent)
    const mayReplace =
      invite.id === 'local' || invite.agent === agent || this.#isOwn(known, request.old)
    if (known !== undefined && !mayReplace) throw taken(agent)
    this.checkNames(workspace, agent, request.name ?? '')
    const now = this.#now()
    const one: Credential = {
      ...{ agent, workspace, role: invite.role, hash, invite: invite.id, joinedAt: now },
      ...{
        name: (request.name ?? known?.name ?? '').slice(0, MAX_NAME),
        kind: request.kind ?? 'agent',
      },
      ...replacing(known),
    }
    const note = this.#note('joined', workspace, agent, `${invite.role} by invite ${invite.id}`)
    await this.#writes.write(this.#credentials.put(one), this.#invites.use(invite), note)
    if (known !== undefined) this.onEnded(agent, workspace, false)
    return joined
  }

  /** Ids and names of a workspace are one name space; who has an id already keeps it. Throws `name_taken`. */
  checkNames(workspace: string, agent: string, name: string): void {
    const named = (one: Credential): Named => ({ id: one.agent, name: this.#nameOf(one) })
    const others = this.#credentials.of(workspace).map(named)
    if (!this.knows(workspace, agent)) checkFreeId(agent, others)
    if (name !== '') checkFreeName(agent, checkName('name', name), others)
  }

  #isOwn(known: Credential | undefined, old: string | undefined): boolean {
    return known?.revokedAt === undefined && old !== undefined && known?.hash === hashOf(old)
  }

  #note(what: AuditEntry['what'], workspace: string | null, by: string, note: string): Change {
    return this.#audit.add([{ at: this.#now(), what, workspace, by, note }])
  }

  /** Makes an invite; its secret is nowhere but in the answer. */
  invite(wanted: NewInvite, by: Principal): Promise<{ invite: Invite; secret: string }> {
    return this.#writes.turn(() => this.#invite(wanted, by))
  }

  async #invite(wanted: NewInvite, by: Principal): Promise<{ invite: Invite; secret: string }> {
    const secret = newSecret(wanted.http === undefined ? 'invite' : 'http')
    const { invite, changes } = this.#invites.add(wanted, secret, nameOf(by))
    const what = invite.agent === undefined ? 'invited' : 'rotating'
    const whom = invite.agent ?? (invite.http === undefined ? undefined : `token ${invite.http}`)
    const note = `${invite.id}: ${invite.role}${whom === undefined ? '' : `, ${whom}`}`
    await this.#writes.write(...changes, this.#note(what, invite.workspace, nameOf(by), note))
    return { invite, secret }
  }

  /** Those by which somebody can still join. `workspace` null: of all. */
  invites(workspace: string | null): Invite[] {
    return this.#invites.open.filter((one) => workspace === null || one.workspace === workspace)
  }

  members(workspace: string | null): Member[] {
    return this.#credentials.of(workspace).map(memberOf)
  }

  /** An invite in place of the credential that an agent has, which is good until it is traded. Throws `unknown_agent`. */
  rotate(agent: string, workspace: string | null, by: Principal, expiresAt: number) {
    return this.#writes.turn(async () => {
      const known = this.#credentials.find(agent, workspace)
      const { role } = known
      const wanted = { workspace: known.workspace, role, uses: 1, expiresAt, agent: known.agent }
      return this.#invite(wanted, by)
    })
  }

  /** Ends a credential or an invite, now. Throws `unknown_agent`. */
  revoke(which: string, workspace: string | null, by: Principal): Promise<void> {
    return this.#writes.turn(async () => {
      const removed = this.#invites.remove(which, workspace)
      if (removed !== null) {
        await this.#writes.write(removed, this.#note('revoked', workspace, nameOf(by), which))
        for (const one of this.#credentials.byToken(which)) {
          this.onEnded(one.agent, one.workspace, true)
        }
        return
      }
      const known = this.#credentials.find(which, workspace)
      if (known.revokedAt !== undefined) return
      const one = { ...known, revokedAt: this.#now() }
      const note = this.#note('revoked', one.workspace, nameOf(by), one.agent)
      await this.#writes.write(this.#credentials.put(one), note)
      this.onEnded(one.agent, one.workspace, true)
    })
  }

  /** The agents of a workspace whose credential or token was revoked. */
  revoked(workspace: string): string[] {
    return this.#credentials.revoked(workspace, (token) => this.#invites.has(token))
  }

  /** Takes others' operations back from whoever has them for so long (milliseconds). */
  recover(forMs: number, by: Principal): Promise<string> {
    return this.#writes.turn(async () => {
      const recovering = this.#now() + forMs
      const until = new Date(recovering).toISOString()
      const apply = () => {
        this.#recovering = recovering
      }
      await this.#writes.write(
        { ops: [putJson(RECOVERING_KEY, recovering)], apply },
        this.#note('recovering', null, nameOf(by), `until ${until}`),
      )
      return until
    })
  }

  /** Notes that something was refused; of one agent's at most one a second. */
  refused(speaker: Caller, workspace: string, note: string): void {
    const [by, at] = [nameOf(speaker), this.#now()]
    if (!this.#audit.isDue(by, at)) return
    this.#notes.push({ at, what: 'refused', workspace, by, note: note.slice(0, 200) })
    this.#noteSoon()
  }

  audit(workspace: string | null, limit: number): AuditEntry[] {
    return this.#audit.newest(workspace, limit)
  }
}

/** What is remembered of the credential that another one replaces. */
const replacing = (known: Credential | undefined): Pick<Credential, 'replaced'> =>
  known === undefined || known.hash === ''
    ? {}
    : { replaced: [...(known.replaced ?? []), known.hash].slice(-MAX_REPLACED) }
