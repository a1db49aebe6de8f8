import { setTimeout as sleep } from 'node:timers/promises'
import * as Y from 'yjs'
import { getArchive, getTaskArchive } from '../../client/http/api.ts'
import type { Access } from '../../client/http/credentials.ts'
import type { Target } from '../../client/http/target.ts'
import { EditConflicts } from '../../client/replica/edit-conflicts.ts'
import { Replica } from '../../client/replica/replica.ts'
import type { Shown } from '../../client/resident/attach-wire.ts'
import { BEAT_MS } from '../../client/session/heartbeat.ts'
import { drain, mayDoLater, reportOverlaps } from '../../client/session/outbox.ts'
import { Session } from '../../client/session/session.ts'
import type { AgentId } from '../../protocol/ids.ts'
import { type Here, hasAgent } from '../../workspace/agents/agents.ts'
import {
  type Activity,
  type FileCursor,
  type Presence,
  SILENT_AFTER_MS,
  setLinkState,
} from '../../workspace/agents/presence.ts'
import { receive } from '../../workspace/inbox/mailbox.ts'
import { observeTask } from '../../workspace/tasks/task-index.ts'
import type { Listening, Wanted } from './listening.ts'

/** To get all that the server has (ms). */
const STATE_TIMEOUT_MS = 10_000
/** A goodbye that takes longer is not worth waiting for. */
const GOODBYE_TIMEOUT_MS = 2_000
/** How long what others wrote, and holds no message, may wait for a commit: an fsync a keystroke of theirs is too much. */
const LAZY_COMMIT_MS = 1_000
/** Between two looks at what came in passes this many times as long as one takes, and no longer than this. */
const REST = 4
const LONGEST_REST_MS = 100
/** After a look at an archive that could not be reached. */
const LOOK_AGAIN_MS = 1_000
/** An agent that read or wrote a file is shown in it for this long. */
const CURSOR_MS = 120_000

/** Where a profile's replica of a workspace is, and of what. */
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
  /** Whose inbox is kept filled; null: nobody is registered, or no link keeps this. */
  #me: AgentId | null = null
  #session: Session | null = null
  #turn: Promise<void> = Promise.resolve()
  /** Shows itself idle after so long without a command, in milliseconds; null: never, it is closed after one. */
  #idleMs: number | null = null
  #idle: NodeJS.Timeout | undefined
  #presence: Presence | null = null
  #state: Activity['state'] = 'active'
  /** So long without a command that the agent may be gone: SILENT_AFTER_MS. */
  #silentMs = SILENT_AFTER_MS
  #isSilent = false
  #silent: NodeJS.Timeout | undefined
  /** Where the agent is in a file; forgotten after CURSOR_MS. */
  #cursor: FileCursor | undefined
  #cursorTimer: NodeJS.Timeout | undefined
  /** What each that is attached has to show; the latest that shows anything comes last. */
  readonly #attached = new Map<object, Shown>()
  #lazy: NodeJS.Timeout | undefined
  #draining: Promise<void> | null = null
  #hasNews = false
  #isReceiving = false
  #hasLeft = false
  #clockOffset = 0
  /** What ends the waiting of each that listens. */
  readonly #tells = new Set<() => void>()

  /** Called where the place has to be opened anew. */
  onTaken: () => void = () => {}
  /** The client id that another agent has taken; null: none. */
  #taken: number | null = null

  private constructor(at: WorkspaceLocation, replica: Replica, beatMs: number) {
    this.at = at
    this.replica = replica
    this.overlaps = new EditConflicts(replica)
    replica.onTaken = (client) => this.#lost(client)
    this.#beatMs = beatMs
  }

  /** `beatMs`: as of a `Session`. Throws what `Replica.open` throws. */
  static async open(
    at: WorkspaceLocation,
    warn: (line: string) => void,
    beatMs = BEAT_MS,
  ): Promise<WorkspaceHandle> {
    return new WorkspaceHandle(at, await Replica.open(at.dir, warn), beatMs)
  }

  /** Resolves when nobody else has the place, to what lets the next one have it. */
  async enter(): Promise<() => void> {
    const before = this.#turn
    let leave = () => {}
    this.#turn = new Promise((resolve) => {
      leave = resolve
    })
    await before
    return leave
  }

  get session(): Session | null {
    return this.#session
  }

  /** The connection, made if there is none, on which `presence` is shown. */
  connect(presence: Presence | null): Session {
    const { target, workspace } = this.at
    this.#presence = presence
    if (this.#session === null) {
      this.#session = new Session(target, workspace, this.replica, presence, this.#beatMs)
      this.#session.onReady = () => {
        void this.drain().catch(() => {}) // its session is closed: the next one goes on
        if (this.#me !== null) this.#onNews()
      }
      this.#session.onTaken = (client) => {
        if (!this.replica.wroteUnder(client)) return false
        this.#lost(client)
        return true
      }
      void this.#join(this.#session)
    }
    this.#isSilent = false
    this.#show('active')
    this.#restLater()
    return this.#session
  }

  /** Gets what to show to the server, if that could not be had before: it may have been away. */
  async #join(session: Session): Promise<void> {
    const { access } = this.at
    while (access.token() === null && this.#session === session && !this.replica.isClosed) {
      try {
        await access.ready()
        session.wake()
      } catch (error) {
        if (!mayDoLater(error)) return // the server says the same
        await sleep(LOOK_AGAIN_MS, undefined, { ref: false })
      }
    }
  }

  #show(state: Activity['state']): void {
    this.#state = state
    const presence = this.#presence
    const activity = {
      ...presence?.activity,
      state,
      ...(this.#isSilent && { silent: true as const }),
    }
    let cursor = this.#cursor
    for (const shown of this.#attached.values()) {
      Object.assign(activity, shown.activity)
      cursor = shown.cursor ?? cursor
    }
    this.#session?.show(presence && { ...presence, activity, ...(cursor && { cursor }) })
  }

  /** Shows for a while where in which file the agent is. */
  point(cursor: FileCursor): void {
    this.#cursor = cursor
    this.#show('active')
    clearTimeout(this.#cursorTimer)
    this.#cursorTimer = setTimeout(() => {
      this.#cursor = undefined
      this.#show(this.#state)
    }, CURSOR_MS).unref()
  }

  #restLater(): void {
    clearTimeout(this.#idle)
    clearTimeout(this.#silent)
    if (this.#idleMs === null) return
    this.#idle = setTimeout(() => this.rest(), this.#idleMs)
    this.#silent = setTimeout(() => {
      this.#isSilent = this.#attached.size === 0
      this.rest()
    }, this.#silentMs)
  }

  /** Shows that no command came lately; whoever is attached is there. */
  rest(): void {
    this.#show(this.#attached.size > 0 ? 'active' : 'idle')
  }

  /** Shows what somebody who is attached does; null: it is not any more. */
  showAttached(who: object, shown: Shown | null): void {
    this.#attached.delete(who)
    if (shown !== null) this.#attached.set(who, shown)
    else this.#restLater()
    this.rest()
  }

  /** Sends the commands that are queued, if the server can be reached, and reports what overlapped meanwhile. */
  drain(): Promise<void> {
    const me = this.#presence?.agent.id
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
    const activities = this.#session?.present() ?? new Map()
    return { present: new Set(activities.keys()), activities, now: this.now() }
  }

  /** How far the server's clock is ahead of this machine's (milliseconds); as last known, 0 before. */
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

  /** From now on what comes in for `me` is stored at once, whether or not a command asks for it. */
  follow(me: AgentId, idleMs: number, silentMs = SILENT_AFTER_MS): void {
    this.#idleMs = idleMs
    this.#silentMs = silentMs
    this.#restLater()
    if (this.#me === null) this.replica.doc.on('update', () => this.#onNews())
    this.#me = me
    this.#onNews()
  }

  #say(me: AgentId, state: 'up' | 'down'): void {
    if (this.#session?.readsOnly !== true) setLinkState(this.replica.doc, me, state)
  }

  #onNews(): void {
    this.#hasNews = true
    if (this.#isReceiving) return
    this.#isReceiving = true
    void this.#receive()
  }

  /** Stores what came in, all that came while the last commit was under way together. */
  async #receive(): Promise<void> {
    try {
      while (this.#hasNews && !this.replica.isClosed) {
        this.#hasNews = false
        const began = performance.now()
        const isComplete = await this.receive()
        if (this.#me !== null) this.#say(this.#me, 'up')
        if (this.replica.isUrgent) await this.replica.commit()
        else this.#commitLater()
        // A look costs by the size of the team: in a storm of updates most of the time is for something else.
        const rest = Math.min(LONGEST_REST_MS, REST * (performance.now() - began))
        await sleep(isComplete ? rest : LOOK_AGAIN_MS, undefined, { ref: false })
        // Where it is not connected, it looks when it is again.
        if (!isComplete && this.#session?.contact.connected) this.#hasNews = true
      }
    } catch (error) {
      console.error(`${this.at.dir}: what came in was not stored: ${(error as Error).message}`)
    } finally {
      this.#isReceiving = false
    }
  }

  /** What others wrote is on the server's disk: it is stored by and by, all of it together. */
  #commitLater(): void {
    this.#lazy ??= setTimeout(() => {
      this.#lazy = undefined
      if (!this.replica.isClosed) this.replica.commit().catch(() => {}) // the next one fails, too, and says why
    }, LAZY_COMMIT_MS)
  }

  /** Stages the messages for `me` among what came in; false: some are in the archive, which cannot be reached now. */
  async receive(me = this.#me): Promise<boolean> {
    const { target, workspace } = this.at
    if (me === null || !hasAgent(this.replica.doc, me)) return true
    return receive(this.replica, me, this.here, {
      broadcasts: (after) => getArchive(target, workspace, after),
      tasks: (after) => getTaskArchive(target, workspace, after, me),
    })
  }

  /** Begins to listen for wanted messages that are stored from now on, or for changes of a task. */
  listen(wanted: Wanted): Listening {
    let tell = () => {}
    const told = new Promise<void>((resolve) => {
      tell = resolve
    })
    const unlisten =
      typeof wanted === 'function'
        ? this.replica.onMessages((messages) => {
            if (messages.some(wanted)) tell()
          })
        : observeTask(this.replica.doc, wanted.task, () => tell())
    this.#tells.add(tell)
    const end = () => {
      unlisten()
      this.#tells.delete(tell)
    }
    const heard = async (signal: AbortSignal) => {
      signal.addEventListener('abort', tell)
      if (signal.aborted) tell()
      await told.finally(end)
      signal.removeEventListener('abort', tell)
      return !this.#hasLeft
    }
    return { heard, end }
  }

  /** Has everyone look who listens: this replica tells of nothing any more. */
  #tellAll(): void {
    for (const tell of this.#tells) tell()
  }

  /** Tells the others that this agent leaves, if they can be told now, and closes. */
  async leave(): Promise<void> {
    const me = this.#me
    this.#me = null
    this.#hasLeft = true
    this.#tellAll()
    if (me !== null) {
      this.#say(me, 'down')
      await this.replica.commit()
      await this.#session?.barrier(GOODBYE_TIMEOUT_MS).catch(() => {}) // it will be seen to be gone
    }
    await this.close()
  }

  /** Another agent has this client id: from here on nothing is sent until the place is opened anew. */
  #lost(client: number): void {
    const isKnown = this.#taken !== null
    this.#taken = client
    this.#session?.giveUp()
    if (!isKnown) this.onTaken()
  }

  /** Where the server cannot be asked for what it has, the next connection finds the same. */
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

  /** Commits, and lets other processes have the replica. */
  async close(): Promise<void> {
    this.#me = null
    clearTimeout(this.#idle)
    clearTimeout(this.#silent)
    clearTimeout(this.#cursorTimer)
    clearTimeout(this.#lazy)
    await this.replica.commit().catch(() => {}) // close() commits, too, and says what is wrong
    this.#session?.close()
    if (this.#taken !== null) await this.#takeNewId(this.#taken)
    await this.replica.close().finally(() => this.#tellAll())
  }
}
