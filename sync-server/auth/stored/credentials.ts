import { ClawError } from '../../../protocol/errors.ts'
import { secretId } from '../../../protocol/roles.ts'
import { credentialKey, putJson } from './log.ts'
import type { Credential } from './records.ts'
import { isSame } from './secrets.ts'
import type { Change } from './writes.ts'

/** The credentials of all agents, good or revoked, in memory. */
export class Credentials {
  readonly #all = new Map<string, Credential>()
  readonly #byWorkspace = new Map<string, Set<Credential>>()
  readonly #byHash = new Map<string, Credential>()
  /** SHA-256 of every credential that is or was good, by its id. */
  readonly #hashes = new Map<string, string>()
  /** The credential in place of another one, by that one's hash. */
  readonly #replaced = new Map<string, Credential>()

  constructor(stored: readonly Credential[]) {
    this.load(stored)
  }

  /** Takes over what is stored. */
  load(stored: readonly Credential[]): void {
    for (const one of stored) this.#keep(one)
  }

  /** Forgets a workspace, which stays on disk. */
  unload(workspace: string): void {
    for (const one of this.of(workspace)) this.#remove(one)
  }

  #remove(one: Credential): void {
    const key = credentialKey(one)
    const known = this.#all.get(key)
    if (known !== undefined) this.#forget(known)
    this.#all.delete(key)
  }

  #forget(one: Credential): void {
    const { workspace, hash, replaced = [] } = one
    const members = this.#byWorkspace.get(workspace)
    members?.delete(one)
    if (members?.size === 0) this.#byWorkspace.delete(workspace)
    this.#byHash.delete(hash)
    this.#hashes.delete(secretId(hash))
    for (const before of replaced) {
      this.#hashes.delete(secretId(before))
      this.#replaced.delete(before)
    }
  }

  #keep(one: Credential): void {
    const known = this.#all.get(credentialKey(one))
    if (known !== undefined) this.#forget(known)
    for (const hash of one.replaced ?? []) {
      this.#replaced.set(hash, one)
      this.#hashes.set(secretId(hash), hash)
    }
    this.#all.set(credentialKey(one), one)
    const members = this.#byWorkspace.get(one.workspace)
    if (members === undefined) this.#byWorkspace.set(one.workspace, new Set([one]))
    else members.add(one)
    if (one.hash === '') return
    this.#byHash.set(one.hash, one)
    this.#hashes.set(secretId(one.hash), one.hash)
  }

  get size(): number {
    return this.#all.size
  }

  /** Adds these, or puts them in place of what the same agents have. */
  put(...credentials: readonly Credential[]): Change {
    return {
      ops: credentials.map((one) => putJson(credentialKey(one), one)),
      secrets: credentials.flatMap(({ hash, workspace }) =>
        hash === '' ? [] : [[hash, workspace]],
      ),
      apply: () => {
        for (const one of credentials) this.#keep(one)
      },
    }
  }

  /** Forgets an agent without a secret of its own. */
  drop(one: Credential): Change {
    return {
      ops: [{ type: 'del', key: credentialKey(one) }],
      apply: () => this.#remove(one),
    }
  }

  get(workspace: string, agent: string): Credential | undefined {
    return this.#all.get(credentialKey({ workspace, agent }))
  }

  /** The credential that is stored at this key; undefined: there is none. */
  withKey(key: string): Credential | undefined {
    return this.#all.get(key)
  }

  /** The credential with this hash; undefined: there is none. */
  withHash(hash: string): Credential | undefined {
    const known = this.#byHash.get(hash)
    return known !== undefined && isSame(known.hash, hash) ? known : undefined
  }

  /** The credential that stands in place of the one with this hash; undefined: none does. */
  replacing(hash: string): Credential | undefined {
    return this.#replaced.get(hash)
  }

  /** The hash of the credential that has this id. */
  hashWith(id: string): string | undefined {
    return this.#hashes.get(id)
  }

  /** `workspace` null: of all. */
  of(workspace: string | null): Credential[] {
    return [...(workspace === null ? this.#all.values() : (this.#byWorkspace.get(workspace) ?? []))]
  }

  /** Those that speak by a token. */
  byToken(invite: string): Credential[] {
    return this.of(null).filter((one) => one.invite === invite && one.hash === '')
  }

  /** The agents of a workspace whose credential was revoked, or whose token is none any more. */
  revoked(workspace: string, isToken: (invite: string) => boolean): string[] {
    const isOver = ({ revokedAt, hash, invite }: Credential): boolean =>
      revokedAt !== undefined || (hash === '' && !isToken(invite))
    return this.of(workspace)
      .filter(isOver)
      .map(({ agent }) => agent)
  }

  /** The credential of an agent, by id or name. Throws `unknown_agent`, `ambiguous`. */
  find(agent: string, workspace: string | null): Credential {
    const mine = this.of(workspace)
    const found = mine.filter((one) => one.agent === agent)
    const named = found.length > 0 ? found : mine.filter(({ name }) => name === agent)
    if (named.length === 1) return named[0]!
    if (named.length === 0) {
      throw new ClawError(
        'unknown_agent',
        `nobody joined as "${agent.slice(0, 80)}"`,
        'see: agents, invites',
      )
    }
    throw new ClawError('ambiguous', `several joined as "${agent}"`, 'give the id, and --workspace')
  }
}
