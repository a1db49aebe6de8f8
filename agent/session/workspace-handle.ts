import { setTimeout as sleep } from 'node:timers/promises'
import * as Y from 'yjs'
import { getArchive, getTaskArchive } from '../../client/http/api.ts'
import type { Access } from '../../client/http/credentials.ts'
import type { Target } from '../../client/http/target.ts'
import { EditConflicts } from '../../client/replica/edit-conflicts.ts'
import { Replica } from '../../client/replica/replica.ts'
import { WitnessFile } from '../../client/replica/witness.ts'
import type { Shown } from '../../client/resident/attach-wire.ts'
import { BEAT_MS } from '../../client/session/heartbeat.ts'
import { drain, mayDoLater, reportOverlaps } from '../../client/session/outbox.ts'
import { Session } from '../../client/session/session.ts'
import { Mutex } from '../../lib/mutex.ts'
import type { AgentId } from '../../protocol/ids.ts'
import { type Here, hasAgent, hereOf } from '../../workspace/agents/agents.ts'
import {
  type FileCursor,
  type Presence,
  SILENT_AFTER_MS,
  setLinkState,
} from '../../workspace/agents/presence.ts'
import { receive } from '../../workspace/inbox/mailbox.ts'
import { AgentPresence } from './agent-presence.ts'
import { InboxFiller } from './inbox-filler.ts'
import { Listeners } from './listeners.ts'
import type { Listening, Wanted } from './listening.ts'

/** Time limit for the server's state, in milliseconds. */
const STATE_TIMEOUT_MS = 10_000
/** Time limit for a goodbye, in milliseconds. */
const GOODBYE_TIMEOUT_MS = 2_000
/** Wait before the next request for a credential, in milliseconds. */
const LOOK_AGAIN_MS = 1_000

/** The folder of a profile's replica, and its server, workspace and credential. */
export interface WorkspaceLocation {
  dir: string
  target: Target
  workspace: string
  access: Access
}

/** A profile's workspace, open: its replica and its connection. A link keeps it from one command to the next. */
export class WorkspaceHandle {
  readonly at: WorkspaceLocation
  readonly replica: Replica
  readonly overlaps: EditConflicts
  readonly #beatMs: number
  readonly #witness: WitnessFile
  /**
   * The agent whose inbox is filled; null if none is registered, or if no link keeps this handle.
   */
  #me: AgentId | null = null
  #session: Session | null = null
  readonly #users = new Mutex()
  readonly #presence = new AgentPresence((presence) => this.#session?.show(presence))
  readonly #filler: InboxFiller
  readonly #listeners: Listeners
  #draining: Promise<void> | null = null
  #clockOffset = 0
  #onTaken: () => void = () => {}
  /** The client id that another agent has taken; null for none. */
  #taken: number | null = null

  private constructor(at: WorkspaceLocation, replica: Replica, beatMs: number) {
    this.at = at
    this.replica = replica
    this.overlaps = new EditConflicts(replica)
    replica.onTaken = (client) => this.#lost(client)
    this.#beatMs = beatMs
    this.#witness = new WitnessFile(at.dir, at.workspace, () => Date.now())
    this.#listeners = new Listeners(replica)
    this.#filler = new InboxFiller({
      replica,
      receive: () => this.receive(),
      received: () => {
        if (this.#me !== null) this.#setLinkState(this.#me, 'up')
      },
      isConnected: () => this.#session?.contact.connected === true,
      name: at.dir,
    })
  }

  /** `beatMs`: as of a `Session`. Throws what `Replica.open` throws. */
  static async open(
    at: WorkspaceLocation,
    warn: (line: string) => void,
    beatMs = BEAT_MS,
  ): Promise<WorkspaceHandle> {
    return new WorkspaceHandle(at, await Replica.open(at.dir, warn), beatMs)
  }

  /** Sets the callback for a client id that another agent has taken: the handle must be opened again. */
  onTaken(callback: () => void): void {
    this.#onTaken = callback
  }

  /** Resolves to a function that releases the handle, once all earlier users have released it. Call it exactly once. */
  enter(): Promise<() => void> {
    return this.#users.acquire()
  }

  get session(): Session | null {
    return this.#session
  }

  /** The connection that shows `presence`; opened if necessary. */
  connect(presence: Presence | null): Session {
    const { target, workspace } = this.at
    this.#presence.begin(presence)
    if (this.#session === null) {
      this.#session = new Session(target, workspace, this.replica, presence, this.#beatMs)
      this.#session.onReady = () => {
        void this.drain().catch(() => {}) // the session is closed; the next one continues
        if (this.#me !== null) this.#filler.news()
      }
      this.#session.onHead = ({ seq, head }) => this.#witness.note(seq, head)
      this.#session.onRole = (role) => {
        this.at.access.roleIs(role)
        this.replica.onlyReads = this.at.access.readsOnly()
      }
      this.#session.onTaken = (client) => {
        if (!this.replica.wroteUnder(client)) return false
        this.#lost(client)
        return true
      }
      void this.#join(this.#session)
    }
    this.#presence.active()
    return this.#session
  }

  /** Requests the credential again until the server answers; it may have been away. */
  async #join(session: Session): Promise<void> {
    const { access } = this.at
    while (access.token() === null && this.#session === session && !this.replica.isClosed) {
      try {
        await access.ready()
        session.wake()
      } catch (error) {
        if (!mayDoLater(error)) return // the server would reject it again
        await sleep(LOOK_AGAIN_MS, undefined, { ref: false })
      }
    }
  }

  /** Shows the agent in a file for a while. */
  point(cursor: FileCursor): void {
    this.#presence.point(cursor)
  }

  /** Shows that no command came lately. */
  rest(): void {
    this.#presence.rest()
  }

  /** Shows the state of an attached program; null: it is detached. */
  showAttached(program: object, shown: Shown | null): void {
    this.#presence.attach(program, shown)
  }

  /** Sends the queued commands and reports overlapping edits, if the server can be reached. */
  drain(): Promise<void> {
    const me = this.#presence.agent?.id
    if (this.#session === null || me === undefined) return Promise.resolve()
    this.#draining ??= this.#drain(this.#session, me).finally(() => {
      this.#draining = null
    })
    return this.#draining
  }

  async #drain(session: Session, me: AgentId): Promise<void> {
    const { target, workspace } = this.at
    const now = () => this.now()
    await drain(this.replica, session, target, workspace, me, now)
    await reportOverlaps(this.replica, session, this.overlaps, me, now)
  }

  get here(): Here {
    const session = this.#session
    return hereOf(() => session?.present() ?? new Map(), this.now())
  }

  /** The last known offset of the server's clock, in milliseconds; 0 if unknown. */
  get clockOffset(): number {
    this.#clockOffset = this.#session?.clockOffset || this.#clockOffset
    return this.#clockOffset
  }

  /** Milliseconds since the epoch by the server's clock, as far as that is known. */
  now(): number {
    return Date.now() + this.clockOffset
  }

  get me(): AgentId | null {
    return this.#me
  }

  /** Stores messages for `me` as they arrive, without a command. */
  follow(me: AgentId, idleMs: number, silentMs = SILENT_AFTER_MS): void {
    this.#presence.keep(idleMs, silentMs)
    if (this.#me === null) this.replica.doc.on('update', this.#filler.news)
    this.#me = me
    this.#filler.news()
  }

  #setLinkState(me: AgentId, state: 'up' | 'down'): void {
    if (this.#session?.readsOnly !== true) setLinkState(this.replica.doc, me, state)
  }

  /**
   * Stages the received messages for `me`. Returns false if some are in the archive, which cannot
   * be reached now.
   */
  async receive(me = this.#me): Promise<boolean> {
    const { target, workspace } = this.at
    if (me === null || !hasAgent(this.replica.doc, me)) return true
    // Read from a file; a connection has it from there.
    const session = this.#session
    const isConnected = session?.contact.connected === true
    this.replica.onlyReads = isConnected ? session.readsOnly : this.at.access.readsOnly()
    return receive(this.replica, me, this.here, {
      broadcasts: (after) => getArchive(target, workspace, after),
      tasks: (after) => getTaskArchive(target, workspace, after, me),
    })
  }

  /** Listens for wanted messages stored from now on, or for changes of a task. */
  listen(wanted: Wanted): Listening {
    return this.#listeners.listen(wanted)
  }

  /** True if the agent itself waits by a command, or got news by one within the last `ms` milliseconds. */
  isAttended(ms: number): boolean {
    return this.#listeners.isAttended(ms)
  }

  /** Announces that this agent leaves, if the server can be reached, and closes. */
  async leave(): Promise<void> {
    const me = this.#me
    this.#me = null
    this.#listeners.left()
    if (me !== null) {
      this.#setLinkState(me, 'down')
      await this.replica.commit()
      await this.#session?.barrier(GOODBYE_TIMEOUT_MS).catch(() => {}) // the others will see it as
      // gone
    }
    await this.close()
  }

  /** Another agent has this client id: nothing is sent until the workspace is opened again. */
  #lost(client: number): void {
    const isKnown = this.#taken !== null
    this.#taken = client
    this.#session?.giveUp()
    if (!isKnown) this.#onTaken()
  }

  /**
   * Moves the replica to a new client id. If the server cannot be reached, the next connection
   * detects the conflict again.
   */
  async #takeNewId(taken: number): Promise<void> {
    const { target, workspace, dir } = this.at
    const doc = new Y.Doc()
    const session = new Session(target, workspace, { doc, commit: async () => {} }, null)
    try {
      await session.synced(STATE_TIMEOUT_MS)
      const isDone = await this.replica.takeNewId(Y.encodeStateAsUpdate(doc))
      console.error(
        `${dir}: another agent has the client id ${taken}: ${isDone ? 'a new one is taken' : 'what was written under it cannot be moved'}`,
      )
    } catch (error) {
      console.error(`${dir}: no new client id was taken yet: ${(error as Error).message}`)
    } finally {
      session.close()
      doc.destroy()
    }
  }

  /** Commits, and releases the replica for other processes. */
  async close(): Promise<void> {
    this.#me = null
    this.#presence.stop()
    this.#filler.stop()
    await this.replica.commit().catch(() => {}) // close() commits again and throws the error
    this.#session?.close()
    await this.#witness.close()
    if (this.#taken !== null) await this.#takeNewId(this.#taken)
    await this.replica.close().finally(() => this.#listeners.wakeAll())
  }
}
