import { randomInt } from 'node:crypto'
import { ClawError } from '../../../protocol/errors.ts'
import { checkWorkspaceName } from '../../../workspace/document/validate.ts'
import type { UpdateLog } from '../../storage/update-log.ts'
import { AuditLog } from './audit.ts'
import { Credentials } from './credentials.ts'
import { InviteBook } from './invites.ts'
import { putJson, RECOVERING_KEY, readAccess, readRecovering, type StoredAccess } from './log.ts'
import type { AuditEntry } from './records.ts'
import { Ended, moved } from './refusals.ts'
import { tooManyWorkspaces, Workspaces } from './workspaces.ts'
import { type Change, Writes } from './writes.ts'

export type Stored = Pick<UpdateLog, 'facts' | 'workspaces'>

/** Limits (count). */
export interface Most {
  invites: number
  workspaces: number
}

/** Makes workspaces for a node of a cluster, which owns them then and has loaded them. */
export type Creating = (name: string, most: number) => Promise<'made' | 'exists' | 'full'>

/** Tells of what became true on disk. */
export interface Listener {
  /** The connections of this agent must end: it was revoked, or its credential was replaced. */
  onEnded: (agent: string, workspace: string, isRevoked: boolean) => void
  onNoted: (entry: AuditEntry) => void
  /** The connections of this agent must be authorized anew: its role changed. */
  onRole: (agent: string, workspace: string) => void
  /** The connections to this workspace must end, and the requests of its agents: it was removed. */
  onRemoved: (workspace: string, agents: readonly string[]) => void
}

/**
 * Everything stored about access, in memory as on disk: of all workspaces, or of those that a node of a cluster owns. The
 * parts of the AccessStore share it and change it in turns, the disk first. It has only hashes of secrets.
 */
export class AccessState {
  readonly now: () => number
  readonly listener: Listener
  readonly #log: Stored
  readonly #writes: Writes
  readonly #most: Most
  /** null: a single server, which has all workspaces. */
  readonly #creating: Creating | null
  #workspaces: Workspaces
  #credentials: Credentials
  #audit: AuditLog
  #invites: InviteBook
  #recovering: number
  /** When this node forgot a workspace last (milliseconds since the epoch). */
  #unloadedAt = Number.NEGATIVE_INFINITY

  private constructor(
    log: Stored,
    now: () => number,
    most: Most,
    listener: Listener,
    creating: Creating | null,
    { stored, workspaces, recovering }: ReadState,
  ) {
    this.now = now
    this.listener = listener
    this.#log = log
    this.#writes = new Writes(log.facts, creating !== null)
    this.#most = most
    this.#creating = creating
    this.#workspaces = workspaces
    this.#credentials = new Credentials(stored.credentials)
    // Nodes number by their clocks, so that entries of different ones do not meet.
    const first = creating === null ? null : now() * NODES_PER_MS + randomInt(NODES_PER_MS)
    this.#audit = new AuditLog(stored.audit, (entry) => listener.onNoted(entry), first)
    this.#invites = new InviteBook(stored.invites, now, most.invites)
    this.#recovering = recovering
  }

  static async open(
    log: Stored,
    now: () => number,
    most: Most,
    listener: Listener,
    creating: Creating | null = null,
  ): Promise<AccessState> {
    const read = creating === null ? await readState(log, most) : await readNothing(log)
    return new AccessState(log, now, most, listener, creating, read)
  }

  /** Takes over a workspace that this node has claimed. Rejects if it cannot be read. */
  async load(workspace: string): Promise<void> {
    const { credentials, invites, audit } = await readAccess(this.#log.facts, workspace)
    this.#forget(workspace)
    await this.#workspaces.load(this.#log.facts, workspace)
    this.#credentials.load(credentials)
    this.#invites.load(invites)
    this.#audit.load(audit)
  }

  /** Forgets a workspace that this node does not own any more. */
  unload(workspace: string): void {
    this.#unloadedAt = this.now()
    this.#forget(workspace)
  }

  #forget(workspace: string): void {
    this.#workspaces.unload(workspace)
    this.#credentials.unload(workspace)
    this.#invites.unload(workspace)
    this.#audit.unload(workspace)
  }

  /**
   * Reads everything again: after a failed write it is unknown what is on disk. A node of a cluster has nothing to read: it
   * owns nothing then.
   */
  reload(): Promise<void> {
    return this.turn(async () => {
      if (this.#creating !== null) return
      const { stored, workspaces, recovering } = await readState(this.#log, this.#most)
      const { local } = this.#invites
      this.#workspaces = workspaces
      this.#audit = new AuditLog(stored.audit, (entry) => this.listener.onNoted(entry))
      this.#invites = new InviteBook(stored.invites, this.now, this.#most.invites)
      this.#invites.trust(local)
      this.#recovering = recovering
      this.#credentials = new Credentials(stored.credentials)
    })
  }

  get workspaces(): Workspaces {
    return this.#workspaces
  }

  get credentials(): Credentials {
    return this.#credentials
  }

  get audit(): AuditLog {
    return this.#audit
  }

  get invites(): InviteBook {
    return this.#invites
  }

  /** True after a restore: clients may give back others' operations that the server lacks. */
  get isRecovering(): boolean {
    return this.#recovering > this.now()
  }

  /** Returns the result of `find`. Throws `moved` for a secret that is unknown here because its workspace may just have gone. */
  found<T>(find: () => T): T {
    try {
      return find()
    } catch (error) {
      const isUnknown = ClawError.from(error).code === 'unauthorized' && !(error instanceof Ended)
      if (isUnknown && this.now() - this.#unloadedAt < MOVING_MS) throw moved()
      throw error
    }
  }

  /** Runs `work` after the turns before it. */
  turn<T>(work: () => Promise<T>): Promise<T> {
    return this.#writes.turn(work)
  }

  /** Stores changes together, then makes them in memory. Call it within a turn. */
  write(...changes: readonly Change[]): Promise<void> {
    return this.#writes.write(...changes)
  }

  /** An entry of the audit log, to be stored with the change that it tells of. */
  note(what: AuditEntry['what'], workspace: string | null, by: string, note: string): Change {
    return this.#audit.add([{ at: this.now(), what, workspace, by, note }])
  }

  /** Makes a workspace unless it exists. Call it within a turn. Throws `bad_name`, `too_many`. */
  async create(name: string, by: string): Promise<void> {
    checkWorkspaceName(name)
    if (this.#workspaces.has(name)) return
    this.#workspaces.checkNotRemoved(name)
    if (this.#creating !== null) {
      const made = await this.#creating(name, this.#most.workspaces)
      if (made === 'full') throw tooManyWorkspaces(this.#most.workspaces)
      if (made === 'exists') return
    }
    await this.write(this.#workspaces.add(name, this.now()), this.note('created', name, by, ''))
  }

  /** Another node of the cluster may have set it. */
  set recovering(time: number) {
    this.#recovering = time
  }

  /** Recovering lasts until this time (milliseconds since the epoch). */
  recoverUntil(time: number): Change {
    const apply = () => {
      this.#recovering = time
    }
    return { ops: [putJson(RECOVERING_KEY, time)], apply }
  }
}

/** A request that came before its workspace went is answered within this time (milliseconds). */
const MOVING_MS = 10_000
/** Numbers of the audit log per millisecond, so that those of nodes that start at the same time differ (count). */
const NODES_PER_MS = 1_000

interface ReadState {
  workspaces: Workspaces
  stored: StoredAccess
  recovering: number
}

const readState = async (log: Stored, most: Most): Promise<ReadState> => ({
  workspaces: await Workspaces.open(log, most.workspaces),
  stored: await readAccess(log.facts),
  recovering: await readRecovering(log.facts),
})

const readNothing = async (log: Stored): Promise<ReadState> => ({
  workspaces: Workspaces.none(),
  stored: { credentials: [], invites: [], audit: [] },
  recovering: await readRecovering(log.facts),
})
