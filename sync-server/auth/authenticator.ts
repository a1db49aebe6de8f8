import { ClawError } from '../../protocol/errors.ts'
import { isSecret, secretId } from '../../protocol/roles.ts'
import { type Caller, OWNER, type Principal } from '../sync/principal.ts'
import { forged, replaced, revoked, unknownCredential } from './stored/refusals.ts'
import { hashOf, isSame, proofOf } from './stored/secrets.ts'
import type { AccessState } from './stored/state.ts'
import { type SharedTickets, TICKET_MS, Tickets } from './tickets.ts'

/** Longest part of an id that an error repeats (UTF-16 units). */
const MAX_SHOWN = 80

/** Finds the caller that a secret belongs to. */
export class Authenticator {
  readonly #state: AccessState
  readonly #tickets = new Tickets()
  /** Hashes of the owner's tokens; each node of a cluster has one. */
  #owners: readonly string[] = []

  constructor(state: AccessState) {
    this.#state = state
  }

  /** The owner's token, and the invite for the same user's programs on this machine; neither is stored here. */
  trust(owner: string, localInvite: string): void {
    this.trustOwners([hashOf(owner)])
    this.#state.invites.trust(hashOf(localInvite))
  }

  /** The hashes of the owner's tokens. */
  trustOwners(hashes: readonly string[]): void {
    this.#owners = hashes.filter((hash) => hash !== '')
  }

  /** A node shares the tickets of the owner with the others. */
  shareTickets(shared: SharedTickets): void {
    this.#tickets.shared = shared
  }

  /** The caller with this secret: the owner's token, a credential or an HTTP token, but no ticket. Throws `unauthorized`, `revoked`. */
  authenticate(secret: string): Caller {
    const hash = hashOf(secret)
    if (this.#owners.some((owner) => isSame(hash, owner))) return OWNER
    const token = isSecret('http', secret) ? this.#state.invites.token(hash) : null
    if (token !== null) {
      return { kind: 'token', id: token.id, workspace: token.workspace!, role: token.role }
    }
    return this.#agentWith(hash)
  }

  /** True if `authenticate` accepts it. Cheap: it runs for strangers, too. */
  isGood(secret: string): boolean {
    if (isSecret('ticket', secret)) return false
    try {
      this.authenticate(secret)
      return true
    } catch {
      return false
    }
  }

  /** Proves that this server knows a secret, without showing it. Throws `unauthorized`. */
  prove(id: string, nonce: string): string {
    const { credentials, invites } = this.#state
    const hash = credentials.hashWith(id) ?? invites.hashWith(id)
    if (hash !== null) return proofOf(hash, nonce)
    const owner = this.#owners.find((one) => secretId(one) === id)
    if (owner !== undefined) return proofOf(owner, nonce)
    throw unknownCredential()
  }

  #agentWith(hash: string): Principal {
    const { credentials } = this.#state
    const known = credentials.withHash(hash)
    if (known === undefined) {
      const now = credentials.replacing(hash)
      if (now !== undefined) throw replaced(now)
      return this.#state.found(() => {
        throw unknownCredential()
      })
    }
    const { agent, workspace, role, revokedAt } = known
    if (revokedAt === undefined) return { kind: 'agent', agent, workspace, role }
    throw revoked(known)
  }

  /**
   * The agent that a caller may speak as. Throws `forged` for another agent's id, `not_registered` for one that a token
   * has not registered, `revoked`.
   */
  speakAs(by: Caller, agent: string, workspace: string): Principal & { kind: 'agent' } {
    if (by.kind === 'owner') return { kind: 'agent', agent, workspace, role: 'admin' }
    if (by.kind === 'agent') {
      if (by.agent === agent) return by
      throw forged(`this credential belongs to ${by.agent} and cannot speak for another agent`)
    }
    const known = this.#state.credentials.get(workspace, agent)
    const shown = agent.slice(0, MAX_SHOWN)
    if (known === undefined) {
      throw new ClawError(
        'not_registered',
        `no agent "${shown}" is registered with this token`,
        'POST /register {"agent_id", "name"} first',
      )
    }
    if (known.hash !== '' || known.invite !== by.id) {
      throw forged(`${shown} does not belong to this token`)
    }
    if (known.revokedAt !== undefined) throw revoked(known)
    return { kind: 'agent', agent, workspace, role: by.role }
  }

  /** A short-lived stand-in for a secret. It opens one WebSocket. Throws `unauthorized`, `revoked`; Unavailable. */
  async ticket(secret: string): Promise<{ ticket: string; expires_in: number }> {
    const caller = this.authenticate(secret)
    if (caller.kind === 'token') throw unknownCredential()
    const holder = caller.kind === 'owner' ? null : hashOf(secret)
    const ticket = await this.#tickets.issue(holder, this.#state.now())
    return { ticket, expires_in: TICKET_MS / 1000 }
  }

  /** Call before `ofTicket`: another node may have issued it. Rejects with Unavailable. */
  findTicket(ticket: string): Promise<void> {
    return this.#tickets.find(ticket, this.#state.now())
  }

  /** Call just before its WebSocket opens: no other node opens one. Throws `unauthorized`; Unavailable. */
  claimTicket(ticket: string): Promise<void> {
    return this.#tickets.claim(ticket)
  }

  /** The principal that a ticket stands for; it stays good until `spendTicket`. Throws `unauthorized`, `revoked`. */
  ofTicket(ticket: string): Principal {
    const holder = this.#tickets.holderOf(ticket, this.#state.now())
    return holder === null ? OWNER : this.#agentWith(holder)
  }

  /** Its WebSocket is open: the ticket opens no other. */
  spendTicket(ticket: string): void {
    this.#tickets.spend(ticket)
  }
}
