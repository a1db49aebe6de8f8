import { checkWorkspaceName } from '../../../workspace/document/validate.ts'
import type { UpdateLog } from '../../storage/update-log.ts'
import { AuditLog } from './audit.ts'
import { Credentials } from './credentials.ts'
import { InviteBook } from './invites.ts'
import { putJson, RECOVERING_KEY, readAll } from './log.ts'
import type { AuditEntry } from './records.ts'
import { Workspaces } from './workspaces.ts'
import { type Change, Writes } from './writes.ts'

export type Stored = Pick<UpdateLog, 'facts' | 'workspaces'>

/** Limits (count). */
export interface Most {
  invites: number
  workspaces: number
}

/** Tells of what became true on disk. */
export interface Listener {
  /** The connections of this agent must end: it was revoked, or its credential was replaced. */
  onEnded: (agent: string, workspace: string, isRevoked: boolean) => void
  onNoted: (entry: AuditEntry) => void
  /** The connections of this agent must be authorized anew: its role changed. */
  onRole: (agent: string, workspace: string) => void
  /** The connections to this workspace must end: it was removed. */
  onRemoved: (workspace: string) => void
}

/**
 * Everything stored about access, in memory as on disk. The parts of the AccessStore share it and change it in turns,
 * the disk first. It has only hashes of secrets.
 */
export class AccessState {
  readonly now: () => number
  readonly listener: Listener
  readonly #log: Stored
  readonly #writes: Writes
  readonly #most: Most
  #workspaces: Workspaces
  #credentials: Credentials
  #audit: AuditLog
  #invites: InviteBook
  #recovering: number

  private constructor(
    log: Stored,
    now: () => number,
    most: Most,
    listener: Listener,
    { stored, workspaces }: Awaited<ReturnType<typeof readState>>,
  ) {
    this.now = now
    this.listener = listener
    this.#log = log
    this.#writes = new Writes(log.facts)
    this.#most = most
    this.#workspaces = workspaces
    this.#credentials = new Credentials(stored.credentials)
    this.#audit = new AuditLog(stored.audit, (entry) => listener.onNoted(entry))
    this.#invites = new InviteBook(stored.invites, now, most.invites)
    this.#recovering = stored.recovering
  }

  static async open(
    log: Stored,
    now: () => number,
    most: Most,
    listener: Listener,
  ): Promise<AccessState> {
    return new AccessState(log, now, most, listener, await readState(log, most))
  }

  /** Reads everything again: after a failed write it is unknown what is on disk. */
  reload(): Promise<void> {
    return this.turn(async () => {
      const { stored, workspaces } = await readState(this.#log, this.#most)
      const { local } = this.#invites
      this.#workspaces = workspaces
      this.#audit = new AuditLog(stored.audit, (entry) => this.listener.onNoted(entry))
      this.#invites = new InviteBook(stored.invites, this.now, this.#most.invites)
      this.#invites.trust(local)
      this.#recovering = stored.recovering
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
    await this.write(this.#workspaces.add(name, this.now()), this.note('created', name, by, ''))
  }

  /** Recovering lasts until this time (milliseconds since the epoch). */
  recoverUntil(time: number): Change {
    const apply = () => {
      this.#recovering = time
    }
    return { ops: [putJson(RECOVERING_KEY, time)], apply }
  }
}

const readState = async (log: Stored, most: Most) => ({
  workspaces: await Workspaces.open(log, most.workspaces),
  stored: await readAll(log.facts),
})
