import { createHash, randomBytes } from 'node:crypto'
import { readFileSync, rmSync, type Stats, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isSecret, PREFIX, type Role, runDirsOf, runFileOf } from '../access.ts'
import { ClawError } from '../errors.ts'
import { type AgentId, newAgentId } from '../ids.ts'
import { postJoin, serverInfo } from './commands.ts'
import { claimOwn, writeOwn } from './own-file.ts'
import type { Faith } from './proof.ts'
import type { Target } from './target.ts'

/** Where there are no hard links an identity is not whole at once: so often, so long apart (milliseconds), it is read again. */
const CLAIM_TRIES = 50
const CLAIM_WAIT_MS = 10

/** A credential as it is kept: 0600, one file a place, in the folder of the profile. */
interface Kept {
  token: string
  /** Left out: the server has not said so yet, and may know it or not. */
  role?: Role
  server: string
  workspace: string
  agent_id: AgentId
  /** It has proved that it knows this: it is shown to nobody who does not. */
  proves?: true
}

/** An invite to join by. `proves`: the server that made it can prove that it knows it. */
export interface Invited {
  token: string
  proves?: true
}

/** What a credential is for: which server and workspace, in which profile. */
export interface AccessAt {
  /** The profile's folder. */
  dir: string
  target: Target
  workspace: string
  /** A join link beside the target's own, from the environment. */
  joinLink?: Target | null
  /** The id that the profile is registered with; undefined: with none yet. */
  agentId?: AgentId | undefined
  /** Whether the workspace is made where there is none. */
  create?: boolean
  env: Readonly<Record<string, string | undefined>>
}

/**
 * Gets a profile into a workspace, and keeps what it shows there. Where it has no credential it joins by the link it was
 * given; on this machine by the invite that the server left for its own user.
 */
export class Access {
  readonly #at: AccessAt
  readonly #path: string

  constructor(at: AccessAt) {
    this.#at = at
    const { base } = at.target
    const hash = createHash('sha256').update(`${base}#${at.workspace}`).digest('hex').slice(0, 16)
    this.#path = join(at.dir, 'credentials', `${hash}.json`)
  }

  /** Read each time: another process may have joined, or joined anew. */
  readonly token = (): string | null => {
    const kept = this.#read()
    return kept?.role === undefined ? null : kept.token
  }

  /** Whether what is shown there is for reading only. */
  readonly readsOnly = (): boolean => this.role === 'read'

  /** A server that has proved itself once has to do so each time. */
  readonly faith: Faith = {
    insists: () => this.#read()?.proves === true,
    proved: () => {
      const kept = this.#read()
      if (kept?.role !== undefined && kept.proves !== true)
        writeOwn(this.#path, { ...kept, proves: true })
    },
  }

  /** Who it is for. */
  get agentId(): AgentId {
    return this.#at.agentId ?? identityOf(this.#at.dir)
  }

  get role(): Role | null {
    return this.#read()?.role ?? null
  }

  #read(): Kept | null {
    try {
      const kept = JSON.parse(readFileSync(this.#path, 'utf8')) as Partial<Kept>
      return isSecret('credential', kept.token ?? '') ? (kept as Kept) : null
    } catch {
      return null
    }
  }

  /** Resolves when there is a credential. Throws `unauthorized`, `not_allowed`, `unreachable`, `not_clawlink`. */
  async ready(): Promise<void> {
    if (this.token() !== null) return
    const invite = this.#invite()
    if (invite !== null) return this.join(invite)
    // What is wrong may be that it is not there.
    await serverInfo({ base: this.#at.target.base })
    const late = this.#invite()
    if (late !== null) return this.join(late)
    throw new ClawError(
      'unauthorized',
      `this profile has not joined the workspace "${this.#at.workspace}" of ${this.#at.target.base}`,
      'ask for a join link (clawlink-sync invite), then: clawlink-agent join -',
    )
  }

  /** Joins anew where the server does not know the credential any more; whether it could. */
  async renew(): Promise<boolean> {
    const invite = this.#invite()
    if (invite === null) return false
    await this.join(invite)
    return true
  }

  #invite(): Invited | null {
    const { target, joinLink, workspace, env } = this.#at
    if (target.invite !== undefined) return { token: target.invite }
    const isMeant =
      joinLink?.base === target.base && (joinLink.workspace ?? 'default') === workspace
    if (isMeant && joinLink.invite !== undefined) return { token: joinLink.invite }
    return inviteOfUser(target.base, env)
  }

  /**
   * Trades an invite for a credential. That is made here and on disk before it is sent: whatever breaks off in between,
   * the same request made again is answered again.
   */
  async join({ token: invite, proves }: Invited): Promise<void> {
    const { target, workspace } = this.#at
    const known = this.#read()
    const agent_id = this.agentId
    const isPending = known !== null && known.role === undefined && known.agent_id === agent_id
    const token = isPending
      ? known.token
      : `${PREFIX.credential}${randomBytes(32).toString('base64url')}`
    const kept: Kept = { token, server: target.base, workspace, agent_id }
    const old = known?.role === undefined ? null : known.token
    // Not over one that may still be good, before there is another.
    const path = old === null ? this.#path : `${this.#path}.next`
    writeOwn(path, kept)
    let proved: Pick<Kept, 'proves'> = {}
    const faith: Faith = {
      insists: () => proves === true || known?.proves === true,
      proved: () => {
        proved = { proves: true }
      },
    }
    const { role } = await postJoin(
      { base: target.base, token: () => old, faith },
      {
        ...{ invite, agent_id, workspace, credential: token },
        ...(this.#at.create === true && { create: true }),
      },
    ).catch((thrown: unknown) => {
      // It is of no use anywhere.
      if ((thrown as Partial<ClawError>).code === 'unknown_workspace') rmSync(path, { force: true })
      throw thrown
    })
    writeOwn(this.#path, { ...kept, role, ...proved })
    if (path !== this.#path) rmSync(path, { force: true })
  }
}

/** The id that a profile has before it is registered: made once, whichever process comes first. */
export const identityOf = (dir: string): AgentId => {
  const path = join(dir, 'identity.json')
  const read = (): AgentId | undefined => {
    try {
      return (JSON.parse(readFileSync(path, 'utf8')) as { agent_id?: AgentId }).agent_id
    } catch {
      return undefined
    }
  }
  const known = read()
  if (known !== undefined) return known
  const agent_id = newAgentId((bytes) => crypto.getRandomValues(bytes))
  if (claimOwn(path, { agent_id })) return agent_id
  for (let tries = 0; tries < CLAIM_TRIES; tries++) {
    const first = read()
    if (first !== undefined) return first
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, CLAIM_WAIT_MS)
  }
  writeOwn(path, { agent_id }) // who began it was killed over it
  return agent_id
}

/** The invite that a server on this machine left for its own user; null: there is none. */
const inviteOfUser = (base: string, env: AccessAt['env']): Invited | null => {
  const { hostname, port, protocol } = new URL(base)
  const isHere = /^(localhost|\[::1\]|127(\.\d{1,3}){3})$/.test(hostname)
  if (!isHere) return null
  const uid = process.getuid?.() ?? -1 // as userInfo() has it on Windows
  // Whoever else could write there could have this agent join a server of theirs.
  const isOurs = ({ uid: owner, mode }: Stats): boolean =>
    process.platform === 'win32' || (owner === uid && (mode & 0o077) === 0)
  for (const dir of runDirsOf(env, tmpdir(), uid)) {
    const path = runFileOf(dir, Number(port) || (protocol === 'https:' ? 443 : 80))
    try {
      if (!isOurs(statSync(dir)) || !isOurs(statSync(path))) continue
      const { token, proves } = JSON.parse(readFileSync(path, 'utf8')) as Partial<Invited>
      if (token === undefined || !isSecret('invite', token)) continue
      return proves === true ? { token, proves } : { token }
    } catch {
      // None there.
    }
  }
  return null
}
