import * as Y from 'yjs'
import { LazyMap } from '../../lib/lazy.ts'
import { newDoc } from '../../lib/yjs/new-doc.ts'
import { type AwarenessEntry, CLOSE, WireError } from '../../protocol/frames.ts'
import { Fault } from '../storage/faults.ts'
import { Corruption } from '../storage/integrity/corruption.ts'
import { Conflict, LeaseEnded } from '../storage/integrity/db.ts'
import type { Joined, Owned, Stored } from '../storage/update-log.ts'
import { Admission, type Work } from './admission.ts'
import { AwarenessStates } from './awareness.ts'
import { AwarenessFeed } from './awareness-feed.ts'
import { Barriers } from './barriers.ts'
import { Commands, type Turn } from './commands.ts'
import type { Connection } from './connection.ts'
import { Feed } from './feed.ts'
import type { Gate } from './gate.ts'
import { Intake } from './intake.ts'
import type { Principal } from './principal.ts'
import { Readers } from './readers.ts'
import type { Change, RoomEnv } from './room-env.ts'
import { Checkpoints } from './turn/checkpoints.ts'
import { IdleWatch } from './turn/idle-watch.ts'
import { Loading } from './turn/loading.ts'
import { TurnLoop } from './turn-loop.ts'
import { docOf, LiveDocument } from './updates/document.ts'

/**
 * One workspace in memory: its document and its connections, with the frames they send. It reads the log once `after`
 * resolves.
 */
export class Room {
  readonly name: string
  readonly #env: RoomEnv
  readonly #connections = new Set<Connection>()
  readonly #live: LiveDocument
  readonly #gate: Gate
  readonly #awareness: AwarenessFeed
  readonly #admission: Admission
  readonly #commands = new Commands()
  readonly #barriers: Barriers
  readonly #checkpoints: Checkpoints
  readonly #feed: Feed
  readonly #readers: Readers
  readonly #turns: TurnLoop
  readonly #intake: Intake
  readonly #loading = new Loading()
  readonly #loaded: Promise<void>
  #failure: Error | null = null
  /** Of connections that come after the failure. */
  #closeCode: number = CLOSE.storageFailed
  /** True once the room failed or was unloaded, or the server stops. */
  #isGone = false
  readonly #idleWatch = new IdleWatch(
    () => this.#idle(),
    (error) => this.fail(error),
  )

  constructor(name: string, env: RoomEnv, after: Promise<void> = Promise.resolve()) {
    this.name = name
    this.#env = env
    this.#live = new LiveDocument(env.keepsText)
    this.#gate = env.gate()
    const states = new AwarenessStates(this.#gate, (before, after) =>
      this.#guard(() => env.onAwareness(this, before, after)),
    )
    this.#awareness = new AwarenessFeed(states, this.#connections, (send) =>
      this.#guard(() => this.#mayRead() && send()),
    )
    const { log, now, maxDocument, maxAwareness, onClose } = env
    const own = {
      schedule: () => this.#turns.schedule(),
      refuse: (connection: Connection, error: unknown) => this.#refuse(connection, error),
      fail: (error: Error) => this.fail(error),
      guard: (work: () => void) => this.#guard(work),
      mayRead: () => this.#mayRead(),
      adopt: (doc: Y.Doc) => this.#adopt(doc),
    }
    this.#admission = new Admission(this.#live, this.#gate, {
      ...{ ...own, maxDocument, isFull: () => this.isFull },
      handle: (connection, frame) => this.#intake.handle(connection, frame),
    })
    this.#barriers = new Barriers(own.refuse, () => log.record.handOut(name))
    const compact = (bytes: Uint8Array) => log.compact(name, this.#turns.durable, bytes)
    this.#checkpoints = new Checkpoints(compact, maxDocument)
    const stored = after.then(() => this.#open())
    this.#feed = new Feed(stored, () => log.loadJoined(name))
    const [connections, loading, commands] = [this.#connections, this.#loading, this.#commands]
    const [live, gate, feed, awareness] = [this.#live, this.#gate, this.#feed, this.#awareness]
    const parts = { live, gate, feed, awareness, connections, loading, commands }
    const [admission, barriers, checkpoints] = [this.#admission, this.#barriers, this.#checkpoints]
    const all = { ...own, ...parts, opened: feed.opened, admission, barriers, checkpoints }
    this.#readers = new Readers({ ...all, onClose })
    this.#turns = new TurnLoop({
      ...{ ...all, name, log, now, readers: this.#readers, isLoaded: () => loading.isDone },
      taskOf: (agent) => env.taskOf(this, agent),
      onCommit: (updates, bytes, ms) => env.onCommit(this, updates, bytes, ms),
    })
    const [readers, turns] = [this.#readers, this.#turns]
    this.#intake = new Intake({ ...all, maxAwareness, now, readers, turns })
    this.#loaded = stored.then((found) => this.#build(found))
    this.#loaded.catch(own.fail)
  }

  /** Resolves when the document is built. Rejects if the log cannot be read. */
  get loaded(): Promise<void> {
    this.#loading.wake()
    return this.#loaded
  }

  get connections(): ReadonlySet<Connection> {
    return this.#connections
  }

  get doc(): Y.Doc {
    return this.#live.doc
  }

  /** The awareness states of all present clients, as JSON. */
  get present(): string[] {
    return this.#awareness.present.map(({ json }) => json)
  }

  /** True while a large update is only partly in the document. */
  get isPartial(): boolean {
    return this.#admission.isPartial
  }

  /** True if the document accepts only updates that make it smaller. */
  get isFull(): boolean {
    return this.#checkpoints.isFull
  }

  /** Takes `bytes` of an agent's share of the document; returns false if less is left. */
  takeShare(agent: string, bytes: number): boolean {
    return this.#gate.takeShare(agent, bytes)
  }

  /** Shows an agent without a connection, under an id that no connection has; null removes it. */
  show(number: number, speaker: Principal, state: AwarenessEntry | null): void {
    if (this.#isGone) return
    const now = this.#env.now()
    if (state === null) this.#awareness.drop(number, now)
    else this.#awareness.apply(number, speaker, [state], now)
  }

  async #open(): Promise<Loaded> {
    const { stored, owners } = await loadOrPrepare(this.name, this.#env, () => this.#failure)
    this.#gate.open(owners)
    this.#turns.opened(stored.seq)
    this.#idleWatch.start()
    return stored
  }

  async #build(stored: Loaded): Promise<void> {
    await this.#loading.untilNeeded(sizeOf(stored))
    const single = await singleOf(stored, this.#env.log, this.name)
    if (this.#failure !== null) throw this.#failure
    this.#adopt(stored.doc ?? docOf(single, `workspace ${this.name}`))
    this.#checkpoints.opened(single)
    const early = this.#loading.done()
    for (const connection of this.#connections) this.#readers.greet(connection)
    for (const receive of early) receive()
    this.#turns.schedule()
  }

  #adopt(doc: Y.Doc): void {
    const server = this.#env.serverClient(doc)
    this.#live.adopt(doc, server)
    this.#gate.adopt(doc, server)
    this.#env.onDocument(this, doc)
  }

  /** Runs the room's own work. An error in it ends only this room. */
  #guard(work: () => void): void {
    try {
      work()
    } catch (error) {
      this.fail(error as Error)
    }
  }

  /** False once the lease has ended; the room ends then. */
  #mayRead(): boolean {
    if (this.#isGone) return false
    if (this.#env.mayRead(this.name)) return true
    this.fail(new LeaseEnded())
    return false
  }

  attach(connection: Connection): void {
    if (!this.#mayRead()) {
      connection.close(this.#failure === null ? 1001 : this.#closeCode, 'not accepting connections')
      return
    }
    this.#connections.add(connection)
    this.#idleWatch.stop()
    connection.whenReady(() => this.#guard(() => this.#readers.catchUp(connection)))
    if (this.#loading.isDone) this.#guard(() => this.#readers.greet(connection))
  }

  detach(connection: Connection): void {
    if (!this.#connections.delete(connection) || this.#isGone) return
    this.#awareness.drop(connection.id, this.#env.now())
    this.#idleWatch.start()
  }

  /**
   * Handles one message. For a large one it returns work, which the caller runs to its end before
   * the connection's next message, in turns with other connections; the message's bytes are not
   * read again. A message that breaks the grammar or a limit closes only its connection.
   */
  receive(connection: Connection, message: Uint8Array): Work | null {
    if (!this.#isGone && !this.#mayRead()) return null
    return this.#intake.receive(connection, message)
  }

  /** Closes a connection for its frame; an error that is not a WireError fails the room. */
  #refuse(connection: Connection, error: unknown): void {
    if (!(error instanceof WireError)) {
      this.fail(error as Error)
      return
    }
    const { code, message } = error
    const { speaker } = connection
    if (code === CLOSE.forged) this.#env.onForgery(this, speaker, message)
    this.#env.onClose(code, message, speaker, connection.receivedBytes)
    connection.close(code, message)
  }

  /**
   * Runs `change` on the document in its turn, as one update by the server. Resolves to the result
   * once the update is on disk. Rejects with the error of `change`, which must throw before its
   * first change, or not at all. `as`: the agent that the change is for, and the Yjs client id to
   * write under. `turn`: its place among other commands, and its credit.
   */
  command<T>(change: Change<T>, as?: Owned, turn: Partial<Turn> = {}): Promise<T> {
    const mayRead = this.#mayRead()
    if (this.#failure !== null) return Promise.reject(this.#failure)
    if (!mayRead) return Promise.reject(new Error('the room was unloaded'))
    this.#loading.wake()
    this.#idleWatch.used()
    const done = this.#commands.add(change, as, turn)
    this.#turns.schedule()
    return done
  }

  /** Sends pings, and disconnects readers that take no data. */
  heartbeat(): void {
    this.#guard(() => {
      const now = this.#env.now()
      this.#awareness.forgetOld(now)
      this.#feed.forget()
      if (this.#checkpoints.beat()) this.#turns.schedule()
      this.#readers.beat(now, this.#env.slowReaderMs)
    })
  }

  /** Resolves if the document can be loaded and written again; else fails the room, rejects. */
  async prove(): Promise<void> {
    await this.loaded
    this.#guard(() => void this.#live.missing())
    if (this.#failure !== null) throw this.#failure
  }

  /** Resolves when the room has no pending write to the log. */
  ended(): Promise<void> {
    return this.#turns.ended()
  }

  /** Resolves when everything received so far is on disk and its barriers are answered. */
  async flush(): Promise<void> {
    await this.loaded.catch(() => {})
    if (!this.#isGone) await this.#turns.flush()
  }

  /** Writes the records since the last checkpoint into one. */
  writeCheckpoint(): Promise<void> {
    return this.#turns.writeCheckpoint()
  }

  async #idle(): Promise<void> {
    if (this.#connections.size > 0 || this.#isGone) return
    await this.flush()
    await this.writeCheckpoint()
    if (this.#isGone) return
    const isBusy = this.#connections.size > 0 || !this.#turns.isIdle
    if (isBusy || this.#env.keeps(this)) return this.#idleWatch.start()
    this.#env.onIdle(this)
  }

  /** Fails the room: it accepts nothing afterwards, and closes its connections with 4503, or with 4307 if it moved. */
  fail(error: Error): void {
    if (this.#isGone) return
    const isMoved = this.#env.isMoved(error)
    const isOwn = error instanceof Corruption || error instanceof LeaseEnded || isMoved
    this.#end(isOwn ? error : new Fault(this.name, error), isMoved)
    this.#env.onFailure(this, error)
  }

  /** Another process serves the workspace from now on: closes its connections with 4307. */
  move(): void {
    if (!this.#isGone) this.#end(new Conflict(), true)
  }

  #end(failure: Error, isMoved: boolean): void {
    this.#failure = failure
    this.#closeCode = isMoved ? CLOSE.moved : CLOSE.storageFailed
    this.#commands.fail(failure)
    const reason = isMoved
      ? 'another node serves the workspace now'
      : 'the workspace cannot be served at the moment'
    for (const connection of this.#connections) connection.close(this.#closeCode, reason)
    this.dispose()
  }

  /** Closes every connection with 1001. */
  close(reason = 'the server is stopping'): void {
    this.dispose()
    for (const connection of this.#connections) connection.close(1001, reason)
  }

  /** Stops timers, and releases the document. */
  dispose(): void {
    this.#isGone = true
    this.#turns.stop()
    this.#idleWatch.close()
    this.#awareness.close()
    this.#live.destroy()
  }
}

const sizeOf = ({ checkpoint, tail }: Stored): number =>
  tail.reduce((sum, { length }) => sum + length, checkpoint?.length ?? 0)

/** `doc`: the document, where it is at hand. */
type Loaded = Joined & { doc?: Y.Doc }

/** Opens the record. Resolves to the log as it was stored, from which the document is built. */
const singleOf = async (stored: Loaded, log: RoomEnv['log'], name: string): Promise<Stored> => {
  await log.record.open(name)
  return stored.single === null ? log.load(name) : { ...stored, tail: stored.single }
}

/** The stored workspace; a new one is prepared and stored first. */
const loadOrPrepare = async (
  name: string,
  { log, prepare }: RoomEnv,
  failure: () => Error | null,
): Promise<{ stored: Loaded; owners: Map<number, string> }> => {
  const stored = await log.loadJoined(name)
  if (stored.seq > 0) return { stored, owners: await log.owners(name) }
  const doc = newDoc()
  prepare(doc, name)
  const update = Y.encodeStateAsUpdate(doc)
  // The log may have been read anew meanwhile, and another room's workspace begun.
  const failed = failure()
  if (failed !== null) throw failed
  const seq = await log.append(name, [update])
  const tail = [update]
  return { stored: { checkpoint: null, tail, single: tail, seq, doc }, owners: new LazyMap() }
}
