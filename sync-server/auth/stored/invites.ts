import { ClawError } from '../../../protocol/errors.ts'
import { isSecret, type Role, secretId } from '../../../protocol/roles.ts'
import type { Op } from '../../storage/integrity/level-keys.ts'
import { inviteKey, putJson } from './log.ts'
import type { Invite } from './records.ts'
import { Ended } from './refusals.ts'
import { hashOf, isSame } from './secrets.ts'
import type { Change } from './writes.ts'

export interface NewInvite {
  workspace: string | null
  role: Role
  uses: number | null
  expiresAt: number | null
  agent?: string
  http?: string
}

/** Invites and tokens, and the invite for the same user's programs. */
export class InviteBook {
  #local = ''
  readonly #now: () => number
  /** Most open invites (count). More is a loop, not a team. */
  readonly #most: number
  readonly #byHash = new Map<string, Invite>()

  constructor(stored: readonly Invite[], now: () => number, most: number) {
    this.#now = now
    this.#most = most
    this.load(stored)
  }

  /** Takes over what is stored. */
  load(stored: readonly Invite[]): void {
    for (const one of stored) this.#byHash.set(one.hash, one)
  }

  /** Forgets a workspace, which stays on disk. */
  unload(workspace: string): void {
    for (const [hash, one] of this.#byHash) {
      if (one.workspace === workspace) this.#byHash.delete(hash)
    }
  }

  /** Hash of the invite that the server leaves for its own user's programs; empty: none. */
  get local(): string {
    return this.#local
  }

  trust(localHash: string): void {
    this.#local = localHash
  }

  get open(): Invite[] {
    return [...this.#byHash.values()].filter((one) => whyNot(one, this.#now()) === null)
  }

  /** The invite with this secret, used up or not. Throws `unauthorized`. */
  find(secret: string): Invite {
    const hash = isSecret('invite', secret) ? hashOf(secret) : ''
    if (hash !== '' && this.#local !== '' && isSame(hash, this.#local)) return localInvite(hash)
    const invite = this.#byHash.get(hash)
    if (invite !== undefined && isSame(invite.hash, hash)) return invite
    throw notGood('is not known here')
  }

  /** True if an invite or token with this id exists. */
  has(id: string): boolean {
    return [...this.#byHash.values()].some((one) => one.id === id)
  }

  /** The hash of the invite (used up or not) or token with this id; null: none has it. */
  hashWith(id: string): string | null {
    if (this.#local !== '' && secretId(this.#local) === id) return this.#local
    for (const hash of this.#byHash.keys()) if (secretId(hash) === id) return hash
    return null
  }

  /** The token with this hash, if it is good; null: there is none. */
  token(hash: string): Invite | null {
    const one = this.#byHash.get(hash)
    if (one?.http === undefined || !isSame(one.hash, hash)) return null
    return whyNot(one, this.#now()) === null ? one : null
  }

  /** Throws `unauthorized` for an invite that is used up or has expired. */
  check(invite: Invite): void {
    const why = whyNot(invite, this.#now())
    if (why !== null) throw notGood(why, Ended)
  }

  /** Counts one use. */
  use(invite: Invite): Change {
    if (invite.uses === null) return { ops: [], apply: () => {} }
    return this.#set({ ...invite, uses: invite.uses - 1 })
  }

  #set(invite: Invite): Change {
    return {
      ops: [putJson(inviteKey(invite), invite)],
      secrets: [[invite.hash, invite.workspace]],
      apply: () => void this.#byHash.set(invite.hash, invite),
    }
  }

  #forget(invites: readonly Invite[]): Change {
    return {
      ops: invites.map((one): Op => ({ type: 'del', key: inviteKey(one) })),
      secrets: invites.map(({ hash }) => [hash, null]),
      apply: () => {
        for (const { hash } of invites) this.#byHash.delete(hash)
      },
    }
  }

  /** Adds an invite, and removes those that ended long ago. Throws `quota`. */
  add(wanted: NewInvite, secret: string, by: string): { invite: Invite; changes: Change[] } {
    const ended = this.#ended
    if (this.#byHash.size - ended.length >= this.#most) {
      throw new ClawError(
        'quota',
        `the limit of ${this.#most} open invites is reached`,
        'revoke some: clawlink-sync invites',
      )
    }
    const hash = hashOf(secret)
    const kind = wanted.http === undefined ? 'i' : 'h'
    const invite: Invite = {
      ...{ id: `${kind}-${hash.slice(0, 12)}`, hash, ...wanted, by, createdAt: this.#now() },
    }
    return { invite, changes: [this.#forget(ended), this.#set(invite)] }
  }

  /** Invites that ended over a day ago. Until then an error can say why they no longer work. */
  get #ended(): Invite[] {
    return [...this.#byHash.values()].filter((one) => {
      const ended = one.uses === 0 ? one.createdAt : (one.expiresAt ?? Infinity)
      return whyNot(one, this.#now()) !== null && this.#now() - ended >= 24 * 60 * 60_000
    })
  }

  /** Removes the invite with this id; null: there is none. */
  remove(id: string, workspace: string | null): Change | null {
    for (const one of this.#byHash.values()) {
      if (one.id !== id || (workspace !== null && one.workspace !== workspace)) continue
      return this.#forget([one])
    }
    return null
  }
}

const localInvite = (hash: string): Invite => ({
  ...{ id: 'local', hash, workspace: null, role: 'admin', uses: null, expiresAt: null },
  ...{ by: 'the owner', createdAt: 0 },
})

const whyNot = ({ uses, expiresAt }: Invite, now: number): string | null => {
  if (uses !== null && uses <= 0) return 'was used already'
  return expiresAt !== null && expiresAt <= now ? 'has expired' : null
}

const notGood = (why: string, Kind = ClawError): ClawError =>
  new Kind(
    'unauthorized',
    `the invite ${why}`,
    'ask the operator of the server for a new join link',
  )
