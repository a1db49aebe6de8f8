import { createHash } from 'node:crypto'
import {
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { claimOwn, writeOwn } from '../../lib/disk/own-file.ts'
import { randomToken } from '../../lib/random.ts'
import { ClawError } from '../../protocol/errors.ts'
import { random } from '../../protocol/fresh-ids.ts'
import { type AgentId, newAgentId } from '../../protocol/ids.ts'
import {
  includes,
  isSecret,
  PREFIX,
  type Role,
  runDirsOf,
  runFileOf,
} from '../../protocol/roles.ts'
import { postJoin, serverInfo } from './api.ts'
import { changeTable, type Proven, readTable, whoIs } from './identity.ts'
import type { Faith } from './proof.ts'
import type { Target } from './target.ts'

/**
 * Without hard links an identity is not written at once: it is read again this often, with this
 * pause in milliseconds.
 */
const CLAIM_TRIES = 50
const CLAIM_WAIT_MS = 10

/** A stored credential: one file per workspace, mode 0600, in the folder of the profile. */
interface Kept {
  token: string
  /** Left out: the server has not said so yet, and may know it or not. */
  role?: Role
  server: string
  workspace: string
  agent_id: AgentId
  /** The server has proved that it knows this: only a server that proves it is shown the credential. */
  proves?: true
}

/** An invite to join by. `proves`: the server that made it can prove that it knows it. */
export interface Invited {
  token: string
  proves?: true
}

/** The server, workspace and profile of a credential. */
export interface AccessAt {
  /** The profile's folder. */
  dir: string
  target: Target
  workspace: string
  /** A join link from the environment, besides the target's own. */
  joinLink?: Target | null
  /** The id of the registered profile; undefined: it is not registered yet. */
  agentId?: AgentId | undefined
  /** True to create a missing workspace. */
  create?: boolean
  /** True to accept another server at a known address. */
  follows?: boolean
  env: Readonly<Record<string, string | undefined>>
}

/**
 * Joins a workspace as a profile, and keeps its credential. Without a credential it joins by the given link, or on the
 * server's machine by the invite that the server left for its user.
 */
export class Access {
  readonly #at: AccessAt
  #server: string | null = null
  /** True if the profile changed to another server at the same address. */
  hasMoved = false

  constructor(at: AccessAt) {
    this.#at = at
  }

  /** Which server it is, by the id that it proved; null: that is not known yet, or it has none, and goes by its address. */
  get server(): string | null {
    const { dir, target } = this.#at
    this.#server ??= readTable(dir).addresses[target.base] ?? null
    return this.#server
  }

  /** True if this address is known to lead to the same server. */
  isAt(base: string): boolean {
    const { dir, target } = this.#at
    if (base === target.base) return true
    return this.server !== null && readTable(dir).addresses[base] === this.server
  }

  /** The folder of the profile's replica of the workspace. */
  get replica(): string {
    const { dir, target, workspace } = this.#at
    const named = readTable(dir).replicas[placeOf(this.server ?? '', workspace)]
    return join(dir, 'replicas', named ?? replicaName(this.server, target.base, workspace))
  }

  get #path(): string {
    const { dir, target, workspace } = this.#at
    return credentialPath(dir, placeOf(this.server ?? target.base, workspace))
  }

  /** Read each time: another process may have joined, or joined anew. */
  readonly token = (): string | null => {
    const kept = this.#read()
    return kept?.role === undefined ? null : kept.token
  }

  /** True if the credential writes nothing into the document. */
  readonly readsOnly = (): boolean => this.role !== null && !includes(this.role, 'write')

  /** A server that has proved itself once has to do so each time. */
  readonly faith: Faith = {
    insists: () => this.#read()?.proves === true,
    proved: () => {
      const kept = this.#read()
      if (kept?.role !== undefined && kept.proves !== true)
        writeOwn(this.#path, { ...kept, proves: true })
    },
  }

  /** The agent of the credential. */
  get agentId(): AgentId {
    return this.#at.agentId ?? identityOf(this.#at.dir)
  }

  get role(): Role | null {
    return this.#read()?.role ?? null
  }

  /** Keeps the role that the host gave the credential; returns false if it had it. */
  roleIs(role: Role): boolean {
    const kept = this.#read()
    if (kept?.role === undefined || kept.role === role) return false
    writeOwn(this.#path, { ...kept, role })
    return true
  }

  #read(): Kept | null {
    return readKept(this.#path)
  }

  /** Resolves when there is a credential. Throws `unauthorized`, `not_allowed`, `unreachable`, `not_clawlink`. */
  async ready(): Promise<void> {
    const follows = this.#at.follows === true
    const isOld = this.token() === null && existsSync(this.#oldPath)
    if (this.server === null || isOld || follows) {
      try {
        await this.#identify(follows)
      } catch (error) {
        if (!isNobody(error) || this.token() === null) throw error
      }
    }
    if (this.token() !== null) return
    const invite = this.#invite()
    if (invite !== null) return this.join(invite)
    // A missing folder can be the reason.
    await serverInfo({ base: this.#at.target.base })
    const late = this.#invite()
    if (late !== null) return this.join(late)
    throw new ClawError(
      'unauthorized',
      `this profile has not joined the workspace "${this.#at.workspace}" of ${this.#at.target.base}`,
      'ask for a join link (clawlink-sync invite), then: clawlink-agent join -',
    )
  }

  /**
   * Finds out the server's id, and takes over the credential, if the server knows it, and the replica of a home from
   * before servers had ids. Throws `other_server` where the address leads to another server than before, unless the
   * profile `follows`.
   */
  async #identify(follows: boolean): Promise<void> {
    const { dir, target, workspace } = this.#at
    const { base } = target
    const before = this.server
    const old = readKept(this.#oldPath)
    const found = await whoIs(base, old?.token)
    if (found === null) {
      if (before === null || follows) return
      throw otherServer(base, 'it does not prove that it is the one of before')
    }
    if (before !== null && before !== found.id && !follows) {
      throw otherServer(base, 'it has another id than the one of before')
    }
    const isOurs = await this.#takeOver(found, old)
    if (!isOurs && before === null && !follows) {
      throw otherServer(base, 'it does not know the credential of this profile')
    }
    this.hasMoved ||= before !== null && before !== found.id
    this.#server = found.id
    const folders = join(dir, 'replicas')
    const byAddress = replicaName(null, base, workspace)
    const isOld =
      isOurs &&
      existsSync(join(folders, byAddress)) &&
      !existsSync(join(folders, replicaName(found.id, base, workspace)))
    const place = placeOf(found.id, workspace)
    const { addresses, replicas } = readTable(dir)
    if (addresses[base] === found.id && (!isOld || replicas[place] !== undefined)) return
    changeTable(dir, (table) => {
      table.addresses[base] = found.id
      if (isOld) table.replicas[place] ??= byAddress
    })
  }

  get #oldPath(): string {
    const { dir, target, workspace } = this.#at
    return credentialPath(dir, placeOf(target.base, workspace))
  }

  /**
   * True if the data kept by address belong to this server, or there are none; the credential is
   * stored by the server's id from now on.
   */
  async #takeOver({ id, knows }: Proven, old: Kept | null): Promise<boolean> {
    const { dir, target, workspace } = this.#at
    const path = credentialPath(dir, placeOf(id, workspace))
    if (old === null || existsSync(path)) return true
    if (knows) {
      renameSync(this.#oldPath, path)
      return true
    }
    // It may have been replaced by one that was got at another address of the same server.
    for (const one of filesOfKept(dir)) {
      const kept = readKept(one)
      if (kept?.workspace !== workspace || one === this.#oldPath) continue
      if (!(await whoIs(target.base, kept.token))?.knows) continue
      renameSync(one, path)
      return true
    }
    return false
  }

  /**
   * Joins anew after an error that says that the server, which is the one of before, does not know the credential any more;
   * whether it could.
   */
  async renew(after: unknown): Promise<boolean> {
    if (!(after instanceof ClawError) || after.code !== 'unauthorized') return false
    await this.#identify(false)
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
   * Trades an invite for a credential. The credential is made here and is on disk before it is sent, so that an
   * interrupted request can be repeated and gets the same answer.
   */
  async join({ token: invite, proves }: Invited): Promise<void> {
    const { target, workspace } = this.#at
    await this.#identify(this.#at.follows === true)
    const known = this.#read()
    const agent_id = this.agentId
    const isPending = known !== null && known.role === undefined && known.agent_id === agent_id
    const token = isPending ? known.token : `${PREFIX.credential}${randomToken()}`
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

/** A name for server and workspace: the server's id, or its address. */
const placeOf = (server: string, workspace: string): string => `${server}#${workspace}`

const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex')

const credentialPath = (dir: string, place: string): string =>
  join(dir, 'credentials', `${hashOf(place).slice(0, 16)}.json`)

/** A folder's name that people recognise, and a hash; of a server without an id by its address. */
const replicaName = (server: string | null, base: string, workspace: string): string => {
  if (server !== null)
    return `${workspace.slice(0, 64)}-${hashOf(placeOf(server, workspace)).slice(0, 16)}`
  const readable = `${base.replace(/^https?:\/\//, '')}/${workspace}`.replace(/[^a-z0-9.-]+/gi, '_')
  return `${readable.slice(0, 64)}-${hashOf(placeOf(base, workspace)).slice(0, 8)}`
}

/** The files of a profile's credentials. */
const filesOfKept = (dir: string): string[] => {
  const folder = join(dir, 'credentials')
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .map((name) => join(folder, name))
}

/** null: there is none, or it cannot be read. */
const readKept = (path: string): Kept | null => {
  try {
    const kept = JSON.parse(readFileSync(path, 'utf8')) as Partial<Kept>
    return isSecret('credential', kept.token ?? '') ? (kept as Kept) : null
  } catch {
    return null
  }
}

/** Nothing answers at the address, as opposed to another server. */
const isNobody = (error: unknown): boolean =>
  error instanceof ClawError && error.exit === 6 && error.code !== 'other_server'

const otherServer = (base: string, why: string): ClawError =>
  new ClawError(
    'other_server',
    `what answers at ${base} is another server than before, and is shown nothing: ${why}`,
    'give the new address of the old one with --relay; to go over to this one: clawlink-agent register --name NAME, or join -',
  )

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
  const agent_id = newAgentId(random)
  if (claimOwn(path, { agent_id })) return agent_id
  for (let tries = 0; tries < CLAIM_TRIES; tries++) {
    const first = read()
    if (first !== undefined) return first
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, CLAIM_WAIT_MS)
  }
  writeOwn(path, { agent_id }) // the process that began it was killed
  return agent_id
}

/** The invite that a server on this machine left for its own user; null: there is none. */
const inviteOfUser = (base: string, env: AccessAt['env']): Invited | null => {
  const { hostname, port, protocol } = new URL(base)
  const isHere = /^(localhost|\[::1\]|127(\.\d{1,3}){3})$/.test(hostname)
  if (!isHere) return null
  const uid = process.getuid?.() ?? -1 // as userInfo() has it on Windows
  // Another user who could write there could make this agent join another server.
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
