import type { Socket } from 'node:net'
import { hasAgent } from '../../workspace/agents/agents.ts'
import { isTerminal } from '../../workspace/tasks/task-states.ts'
import { entries } from '../../workspace/tasks/tasks.ts'
import { type Profile, presenceOf } from '../command/profile.ts'
import { Mirrors } from '../mirror/mirrors.ts'
import type { Log } from '../session/log.ts'
import { WorkspaceHandle, type WorkspaceLocation } from '../session/workspace-handle.ts'
import { Attachment, type AttachmentEvents, type Who } from './attach.ts'
import { AttachIds } from './attach-ids.ts'
import { Waker } from './waker.ts'

export interface OpenOptions {
  home: string
  log: Log
  /** An agent is shown as idle after this long without a command, in milliseconds. */
  presenceIdleMs: number
  /** An agent counts as absent after this long without a command, in milliseconds: its tasks' leases run out. */
  silentMs: number
  /** Heartbeat interval, in milliseconds: a server that is silent for one or two of these is given up. */
  beatMs: number
}

/** Reason for a stop: `down` ends the link for good; `next`: another link takes over its workspaces. */
export type StopReason = 'down' | 'next'

/** A workspace that a link keeps open for a profile: its handle, waker, mirrors and attached programs. */
export class OpenWorkspace {
  /** Folder of the profile. */
  readonly profile: string
  readonly handle: WorkspaceHandle
  readonly #options: OpenOptions
  readonly #ids: AttachIds
  readonly #attachments = new Set<Attachment>()
  #waker: Waker | null = null
  #mirrors: Mirrors | null = null
  #closed: Promise<void> | null = null

  private constructor(profile: string, handle: WorkspaceHandle, options: OpenOptions) {
    this.profile = profile
    this.handle = handle
    this.#options = options
    this.#ids = new AttachIds(handle.replica)
  }

  /** Throws the errors of `WorkspaceHandle.open`. */
  static async open(
    at: WorkspaceLocation,
    profile: string,
    options: OpenOptions,
  ): Promise<OpenWorkspace> {
    const handle = await WorkspaceHandle.open(at, options.log, options.beatMs)
    return new OpenWorkspace(profile, handle, options)
  }

  /** The mirrored folders; null if no agent of the profile is registered. */
  get mirrors(): Mirrors | null {
    return this.#mirrors
  }

  /** Keeps the inbox, mirrors and waker of the profile's agent running. Returns false if it is not registered. */
  follow(profile: Profile): boolean {
    const { handle } = this
    const me = profile.state.agent_id
    if (me === undefined || !hasAgent(handle.replica.doc, me)) return false
    if (handle.me === me) return true
    const { home, log, presenceIdleMs, silentMs } = this.#options
    handle.follow(me, presenceIdleMs, silentMs)
    this.rewake()
    this.#mirrors ??= new Mirrors(this.profile, home, handle, log)
    // The inbox and the mirrors need a connection, also if the command does not.
    if (handle.session === null) {
      handle.connect(presenceOf(profile.state))
      handle.rest()
    }
    return true
  }

  /** Reads the profile's settings for waking its agent again. */
  rewake(): void {
    this.#waker?.close()
    this.#waker = Waker.of(this.profile, this.handle, this.#options.log)
  }

  /** Attaches a program; the caller starts it with `Attachment.begin`. */
  attach(socket: Socket, who: Who, pid: number, { contact, closed }: AttachmentEvents): Attachment {
    const attachment: Attachment = new Attachment(socket, this.handle, this.#ids, who, pid, {
      contact,
      closed: () => {
        this.#attachments.delete(attachment)
        closed()
      },
    })
    this.#attachments.add(attachment)
    return attachment
  }

  /** Tells the attached programs that a command may have changed the inbox or the profile. */
  changed(): void {
    for (const attachment of this.#attachments) attachment.changed()
  }

  detachAll(reason?: StopReason): void {
    for (const attachment of this.#attachments) attachment.close(reason)
  }

  /** True if no agent and no attached program uses it. */
  get isUnused(): boolean {
    return this.handle.me === null && this.#attachments.size === 0
  }

  /** True if the link must stay for it without commands: a program, a waker, a mirror or an unfinished task. */
  get isNeeded(): boolean {
    if (this.#attachments.size > 0 || this.#waker !== null) return true
    if (this.#mirrors !== null && this.#mirrors.size > 0) return true
    const { me, replica } = this.handle
    return [...entries(replica.doc)].some(
      ({ status }) => status.owner === me && !isTerminal(status.state),
    )
  }

  /** True if the same server has another address in `at`, and the address in use does not answer now. */
  isElsewhere({ target }: WorkspaceLocation): boolean {
    const { at, session } = this.handle
    return (
      at.target.base !== target.base &&
      session?.contact.connected === false &&
      session.contact.why !== null
    )
  }

  /** Tells the other agents that this one leaves. Close it afterwards. */
  async leave(): Promise<void> {
    this.detachAll()
    await this.#mirrors?.close()
    await this.handle.leave()
  }

  /** Commits and releases the replica. Later calls resolve with the first one. */
  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #close(): Promise<void> {
    this.detachAll()
    this.#waker?.close()
    await this.#mirrors?.close()
    await this.handle.close()
  }

  /** Closes it with the link; an error of one part is logged and does not keep the others open. */
  async stop(reason: StopReason): Promise<void> {
    const logged = (error: Error): void =>
      this.#options.log(`${this.handle.at.dir}: ${error.message}`)
    this.#waker?.close()
    await this.#mirrors?.close().catch(logged)
    await (reason === 'down' ? this.handle.leave() : this.handle.close()).catch(logged)
  }
}
