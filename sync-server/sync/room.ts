import * as Y from 'yjs'
import {
  type AwarenessEntry,
  asWireError,
  CLOSE,
  type Frame,
  parseFrame,
  WireError,
} from '../../protocol/frames.ts'
import {
  AWARENESS_TICK_MS,
  BUILD_DELAY_MS,
  COMMANDS_MS,
  IDLE_ROOM_MS,
  MAX_OWED_BARRIERS,
} from '../config/limits.ts'
import { Fault } from '../storage/faults.ts'
import { Corruption } from '../storage/integrity/corruption.ts'
import type { Op } from '../storage/integrity/level-keys.ts'
import type { Archivable, Owned, Stored, UpdateLog } from '../storage/update-log.ts'
import { Admission, type Entry, isLarge, type Work } from './admission.ts'
import { AwarenessStates } from './awareness.ts'
import { Checkpoints } from './checkpoints.ts'
import { CommandQueue, type Queued } from './command-queue.ts'
import type { Connection } from './connection.ts'
import { Feed } from './feed.ts'
import type { Gate } from './gate.ts'
import { Gather } from './gather.ts'
import {
  awarenessFrame,
  barrierFrame,
  syncStep1Frame,
  syncStep2Fragments,
} from './outgoing/frame-writer.ts'
import { type Chunk, framesOf } from './outgoing/ring.ts'
import type { Principal } from './principal.ts'
import { docOf, LiveDocument, salvage } from './updates/document.ts'

/** What a room needs from outside; it knows nothing of what is in its document. */
export interface RoomEnv {
  log: UpdateLog
  /** Of one awareness state, and of the document as it is stored (bytes). */
  maxAwareness: number
  maxDocument: number
  /** A reader that takes nothing for so long is cut off (milliseconds). */
  slowReaderMs: number
  now: () => number
  /** Says whose words may be let in. */
  gate: () => Gate
  /** Writes into a new workspace's document, before the first client is answered. */
  prepare: (doc: Y.Doc, name: string) => void
  /** The Yjs client id under which the server writes into this document. */
  serverClient: (doc: Y.Doc) => number
  /** This is the room's document from now on: it was loaded, or had to be built again. */
  onDocument: (room: Room, doc: Y.Doc) => void
  /** One client's awareness state changed; JSON, `null` for none. */
  onAwareness: (room: Room, before: string, after: string) => void
  /** Nothing of this room is taken or answered any more: the store failed, or the room did. */
  onFailure: (room: Room, error: Error) => void
  /** The document holds what is on disk, until this returns. */
  onCommit: (room: Room, updates: number, bytes: number, ms: number) => void
  /** A connection had to be closed, for what it sent (a message of so many bytes) or did not take (0). */
  onClose: (code: number, reason: string, by: Principal, bytes: number) => void
  /** Somebody spoke in another's name, and was refused. */
  onForgery: (room: Room, by: Principal, what: string) => void
  /** Whether the room must stay in memory although nobody is connected: time is running for something in it. */
  keeps: (room: Room) => boolean
  /** No connection for IDLE_ROOM_MS and everything is in the checkpoint. */
  onIdle: (room: Room) => void
}

/** A change of the server's own; what it hands to `archive` and `keep` is stored with it, both or neither. */
export type Change<T> = (
  doc: Y.Doc,
  archive: (entry: Archivable) => void,
  keep: (fact: Op) => void,
) => T

/** What commands want stored beside the document. */
interface Beside {
  archived: Archivable[]
  facts: Op[]
}

interface QueuedCommand extends Queued {
  run: Change<unknown>
  as: Owned | undefined
  resolve: (value: unknown) => void
  reject: (error: unknown) => void
}

const EMPTY_STATE_VECTOR = (bytes: Uint8Array): boolean => bytes.length === 1 && bytes[0] === 0
const MAX_EARLY_FRAMES = 64

/**
 * One workspace in memory: its document, its connections, and the order of what happens to it.
 *
 * Work goes in turns, one commit at a time: apply everything that arrived → one durable log record → answer its
 * barriers, send it to everyone. Between two turns the document holds exactly what is on disk, and only then is
 * state read from it. So nobody ever sees an update that a crash, or a power loss, could take back.
 */
export class Room {
  readonly name: string
  readonly #env: RoomEnv
  readonly #connections = new Set<Connection>()
  readonly #awareness: AwarenessStates
  readonly #feed: Feed
  readonly #live = new LiveDocument()
  readonly #gate: Gate
  readonly #checkpoints: Checkpoints
  readonly #gather = new Gather()
  readonly #admission: Admission
  /** Position in the log of what the document holds between turns. */
  #durable = 0
  readonly #commands = new CommandQueue<QueuedCommand>()
  /** Those of the turn that is under way, until what they do goes to the log. */
  #running: QueuedCommand[] = []
  #barriers: { connection: Connection; nonce: number }[] = []
  #scheduled = false
  #flying = false
  #failure: Error | null = null
  /** What is on its way to the log. */
  #stored: Promise<unknown> = Promise.resolve()
  #closed = false
  #gone = false
  #early: (() => void)[] | null = []
  #awarenessTimer: NodeJS.Timeout | null = null
  #idleTimer: NodeJS.Timeout | null = null
  #idleWaiters: (() => void)[] = []
  /** Lets the document be built now. */
  #wake: () => void = () => {}
  readonly #awake = new Promise<void>((resolve) => {
    this.#wake = resolve
  })
  readonly #loaded: Promise<void>

  constructor(name: string, env: RoomEnv) {
    this.name = name
    this.#env = env
    this.#gate = env.gate()
    this.#awareness = new AwarenessStates(this.#gate, (before, after) =>
      this.#own(() => env.onAwareness(this, before, after)),
    )
    this.#admission = new Admission(this.#live, this.#gate, {
      isFull: () => this.isFull,
      maxDocument: env.maxDocument,
      schedule: () => this.#schedule(),
      handle: (connection, frame) => this.#handle(connection, frame),
      refuse: (connection, error) => this.#refuse(connection, error),
    })
    this.#checkpoints = new Checkpoints((bytes) => env.log.compact(name, this.#durable, bytes))
    const stored = this.#open()
    this.#feed = new Feed(stored, () => env.log.load(name))
    this.#loaded = stored.then((found) => this.#build(found))
    this.#loaded.catch((error: Error) => this.fail(error))
  }

  /** The document stands: everything can be answered. Rejects if the log cannot be read. */
  get loaded(): Promise<void> {
    this.#wake()
    return this.#loaded
  }

  get connections(): ReadonlySet<Connection> {
    return this.#connections
  }

  get doc(): Y.Doc {
    return this.#live.doc
  }

  /** The states of all who are here, as JSON. */
  get present(): string[] {
    return this.#awareness.present().map(({ json }) => json)
  }

  /** Whether there is a part of an update in the document of which more is to come. */
  get isPartial(): boolean {
    return this.#admission.isPartial
  }

  /** Shows somebody who has no connection, by a number that is no connection's; null: shows nobody by it any more. */
  show(number: number, speaker: Principal, state: AwarenessEntry | null): void {
    if (this.#gone) return
    const now = this.#env.now()
    if (state === null) this.#awareness.drop(number, now)
    else this.#awareness.apply(number, speaker, [state], now)
    this.#scheduleAwareness()
  }

  // ── Loading ────────────────────────────────────────────────────────────────────────────────────────────────

  async #open(): Promise<Stored> {
    const { log, prepare } = this.#env
    let stored = await log.load(this.name)
    if (stored.seq === 0) {
      const doc = new Y.Doc()
      prepare(doc, this.name)
      await log.append(this.name, [Y.encodeStateAsUpdate(doc)])
      stored = await log.load(this.name)
    }
    this.#gate.open(await log.owners(this.name))
    this.#durable = stored.seq
    this.#idleLater()
    return stored
  }

  async #build(stored: Stored): Promise<void> {
    // A newcomer needs only the stored bytes, and gets them before the document takes the processor.
    const backstop = setTimeout(this.#wake, BUILD_DELAY_MS)
    await this.#awake
    clearTimeout(backstop)
    if (this.#failure !== null) throw this.#failure
    this.#adopt(docOf(stored, `workspace ${this.name}`))
    this.#checkpoints.opened(stored)
    const early = this.#early ?? []
    this.#early = null
    for (const connection of this.#connections) this.#greet(connection)
    for (const receive of early) receive()
    this.#schedule()
  }

  #adopt(doc: Y.Doc): void {
    const server = this.#env.serverClient(doc)
    this.#live.adopt(doc, server)
    this.#gate.adopt(doc, server)
    this.#env.onDocument(this, doc)
  }

  // ── Connections ────────────────────────────────────────────────────────────────────────────────────────────

  attach(connection: Connection): void {
    if (this.#failure !== null || this.#closed) {
      const code = this.#failure === null ? 1001 : CLOSE.storageFailed
      connection.close(code, 'not accepting connections')
      return
    }
    this.#connections.add(connection)
    if (this.#idleTimer !== null) clearTimeout(this.#idleTimer)
    connection.onReady = () => this.#own(() => this.#catchUp(connection))
    if (this.#early === null) this.#own(() => this.#greet(connection))
  }

  detach(connection: Connection): void {
    if (!this.#connections.delete(connection) || this.#gone) return
    this.#awareness.drop(connection.id, this.#env.now())
    this.#scheduleAwareness()
    this.#idleLater()
  }

  /** Asks for what the client has and the server has not, and says who is here. */
  #greet(connection: Connection): void {
    const present = this.#awareness.present()
    connection.send([
      syncStep1Frame(this.#live.stateVector()),
      ...(present.length > 0 ? [awarenessFrame(present)] : []),
    ])
  }

  /**
   * Takes in one message; a large one by what it returns, which is to be run to its end before the next message of that
   * connection, with others' turns in between. Its bytes are not looked at again. Breaking the grammar or a limit closes
   * this connection and touches no other.
   */
  receive(connection: Connection, message: Uint8Array): Work | null {
    connection.taking = message.length
    if (!connection.open) return null
    try {
      const frame = parseFrame(message, this.#env.maxAwareness)
      if (this.#early !== null && needsDocument(frame)) this.#postpone(connection, frame)
      else if (isLarge(frame)) return this.#admission.acceptLarge(connection, frame)
      else this.#handle(connection, frame)
    } catch (error) {
      this.#refuse(connection, error)
    }
    return null
  }

  #postpone(connection: Connection, frame: Frame): void {
    // The bytes that a newcomer waits for go first; `catchUp` wakes the document when they are gone.
    if (![...this.#connections].some(({ rereading }) => rereading)) this.#wake()
    const early = this.#early!
    const bytes = connection.taking
    connection.hold.add(bytes)
    early.push(() => {
      connection.hold.add(-bytes)
      try {
        if (connection.open) this.#handle(connection, frame)
      } catch (error) {
        this.#refuse(connection, error)
      }
      if (connection.ws.isPaused) connection.ws.resume()
    })
    if (early.length > MAX_EARLY_FRAMES) connection.ws.pause()
  }

  /** Closes a connection for what it sent. Anything but a WireError is a fault of the room, and nobody's who sent something. */
  #refuse(connection: Connection, error: unknown): void {
    if (!(error instanceof WireError)) {
      this.fail(error as Error)
      return
    }
    const { code, message } = error
    if (code === CLOSE.forged) this.#env.onForgery(this, connection.speaker, message)
    this.#env.onClose(code, message, connection.speaker, connection.taking)
    connection.close(code, message)
  }

  #handle(connection: Connection, frame: Frame): void {
    if (!connection.open) return
    switch (frame.type) {
      case 'syncStep1':
        connection.wants = frame.stateVector
        if (isNewcomer(frame)) this.#guard(connection, this.#feed.sendStored(connection))
        else this.#schedule()
        return
      case 'update':
        this.#admission.accept(connection, frame)
        return
      case 'awareness':
        this.#awareness.apply(connection.id, connection.speaker, frame.entries, this.#env.now())
        this.#scheduleAwareness()
        return
      case 'queryAwareness':
        connection.missedAwareness = true
        this.#catchUp(connection)
        return
      case 'barrier':
        if (connection.held.length > 0) connection.held.push(frame)
        else this.#barriers.push({ connection, nonce: frame.nonce })
        this.#schedule()
    }
  }

  /** Takes so many bytes of an agent's share of the document; false: there are not as many left. */
  takeShare(agent: string, bytes: number): boolean {
    return this.#gate.takeShare(agent, bytes)
  }

  /** Whether nothing more is taken into the document than what makes room in it. */
  get isFull(): boolean {
    return this.#checkpoints.bytes > this.#env.maxDocument
  }

  /** What deletions take away is gone with the next checkpoint: where the document is full it comes soon. */
  get #isCheckpointDue(): boolean {
    return this.#checkpoints.due || (this.isFull && this.#checkpoints.isRested)
  }

  // ── Turns ──────────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * Runs `change` on the document in its turn, as one update of the server's own, and resolves to its result once
   * that is on disk. Throws what `change` throws; `change` throws before it changes anything, or not at all. `as`: whose
   * change it is, and the Yjs client id that the server writes under for them.
   */
  command<T>(change: Change<T>, as?: Owned, turn: Partial<Queued> = {}): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#failure !== null) return reject(this.#failure)
      if (this.#gone) return reject(new Error('the room is no longer in memory'))
      this.#wake()
      const { by = as?.owner ?? '', joins = false } = turn
      const queued = { run: change, as, by, joins, reject }
      this.#commands.push({ ...queued, resolve: resolve as (value: unknown) => void })
      this.#schedule()
    })
  }

  /** Does a piece of the room's own work. What it throws ends this room, and nothing else. */
  #own(work: () => void): void {
    try {
      work()
    } catch (error) {
      this.fail(error as Error)
    }
  }

  #schedule(): void {
    if (this.#scheduled || this.#flying || this.#gone || this.#early !== null) return
    this.#scheduled = true
    setImmediate(() => this.#own(() => this.#turn()))
  }

  /** The document holds exactly what is on disk when a turn begins. */
  #turn(): void {
    this.#scheduled = false
    if (this.#flying || this.#gone) return
    if (this.#gather.wait(this.#admission.waiting + this.#commands.size)) {
      this.#schedule()
      return
    }
    this.#answerSyncRequests()
    if (this.#isCheckpointDue) void this.#checkpoint()
    if (this.#gone) return
    const barriers = this.#barriers
    if (this.#admission.waiting + this.#commands.size === 0) {
      this.#barriers = []
      this.#answerBarriers(barriers)
      for (const done of this.#idleWaiters.splice(0)) done()
      return
    }
    this.#barriers = []
    const { entries, slice } = this.#admission.take()
    this.#flying = true
    const began = performance.now()
    const updates = entries.map(({ update }) => update)
    if (this.#live.apply(updates)) {
      this.#gate.applied()
      this.#commit(entries, barriers)
      if (slice !== null) slice.ms = performance.now() - began
    } else {
      void this.#salvage(entries)
        .then((good) => {
          if (good !== null) this.#commit(good, barriers)
        })
        .catch((error: Error) => this.fail(error))
    }
  }

  #commit(entries: Entry[], barriers: { connection: Connection; nonce: number }[]): void {
    const beside: Beside = { archived: [], facts: [] }
    const commands: QueuedCommand[] = []
    this.#running = commands
    const answers: (() => void)[] = []
    const until = performance.now() + COMMANDS_MS
    do {
      for (const command of this.#commands.next()) {
        commands.push(command)
        answers.push(this.#run(command, beside))
      }
    } while (this.#commands.size > 0 && performance.now() < until)
    for (const update of this.#live.takeOwn()) entries.push({ from: 0, connection: null, update })
    this.#running = []
    const finish = (chunk: Chunk | null): void => {
      this.#flying = false
      for (const answer of answers) answer()
      if (this.#gone) return
      for (const { connection } of barriers) this.#catchUp(connection)
      this.#answerBarriers(barriers)
      // The next commit's fsync is under way while this one is sent out; what is left of the commands lets others go first.
      if (this.#commands.size > 0) this.#schedule()
      else this.#turn()
      if (chunk === null) return
      const started = performance.now()
      for (const connection of this.#connections) this.#catchUp(connection)
      this.#gather.sent(entries.length, performance.now() - started)
    }
    const { archived, facts } = beside
    if (entries.length === 0 && facts.length === 0) {
      finish(null)
      return
    }

    const started = this.#env.now()
    const updates = entries.map(({ update }) => update)
    const owned = this.#gate.takeOwned()
    const stored = this.#env.log.append(this.name, updates, archived, owned, facts)
    // While the disk works.
    const sent = framesOf(entries)
    const bytes = updates.reduce((sum, update) => sum + update.length, 0)
    const committed = (seq: number): void => {
      // What is on disk is answered, also where the room has failed meanwhile.
      if (entries.length === 0 || this.#gone) {
        finish(null)
        return
      }
      this.#durable = seq
      this.#checkpoints.committed(updates.length, bytes)
      const chunk = { seq, ...sent }
      this.#feed.push(chunk)
      this.#own(() => this.#env.onCommit(this, updates.length, bytes, this.#env.now() - started))
      finish(chunk)
    }
    this.#stored = stored.then(
      (seq) => this.#own(() => committed(seq)),
      (error: Error) => {
        for (const { reject } of commands) reject(error)
        this.fail(error)
      },
    )
  }

  /** Runs one command; returns what is to be done once its effect is on disk. Throws where the document fails, not the command. */
  #run({ run, as, resolve, reject }: QueuedCommand, { archived, facts }: Beside): () => void {
    try {
      if (as !== undefined) this.#gate.own(as.client, as.owner)
    } catch (error) {
      return () => reject(error)
    }
    // Also if it throws: what it changed until then is stored, too.
    const outcome = this.#live.run(
      (doc) =>
        run(
          doc,
          (entry) => archived.push(entry),
          (fact) => facts.push(fact),
        ),
      as?.client,
    )
    return () => ('error' in outcome ? reject(outcome.error) : resolve(outcome.value))
  }

  /**
   * Finds out what could not be applied, so that it is neither stored nor sent on; resolves to the rest, applied, or to null
   * where the room is gone meanwhile.
   */
  async #salvage(entries: readonly Entry[]): Promise<Entry[] | null> {
    const { doc, good, bad } = await salvage(() => this.#env.log.load(this.name), entries)
    if (this.#gone) return null
    for (const { connection } of bad) {
      this.#refuse(connection!, new WireError(CLOSE.malformed, 'update cannot be applied'))
    }
    this.#adopt(doc)
    this.#admission.again()
    return good
  }

  /** What these barriers stand for is on disk; each is answered once its connection has everything up to here. */
  #answerBarriers(barriers: readonly { connection: Connection; nonce: number }[]): void {
    for (const { connection, nonce } of barriers) {
      connection.owed.push({ nonce, seq: this.#durable })
      this.#payBarriers(connection)
      if (connection.owed.length > MAX_OWED_BARRIERS) {
        this.#refuse(connection, new WireError(CLOSE.slowReader, 'takes no answers'))
      }
    }
  }

  #payBarriers(connection: Connection): void {
    const { owed, cursor } = connection
    if (owed.length === 0 || connection.rereading || connection.wants !== null) return
    const due = owed.findIndex(({ seq }) => cursor !== null && seq > cursor)
    const paid = owed.splice(0, due === -1 ? owed.length : due)
    connection.send(paid.map(({ nonce }) => barrierFrame(nonce)))
  }

  // ── Sending ────────────────────────────────────────────────────────────────────────────────────────────────

  #answerSyncRequests(): void {
    for (const connection of this.#connections) {
      const { wants } = connection
      if (wants === null || EMPTY_STATE_VECTOR(wants) || !connection.ready) continue
      connection.wants = null
      try {
        Y.decodeStateVector(wants)
      } catch (error) {
        this.#refuse(connection, asWireError(error))
        continue
      }
      // From here on it is nothing that the reader sent: what cannot be encoded is what is stored.
      connection.send(syncStep2Fragments(this.#live.missing(wants)))
      connection.cursor = this.#durable
      this.#payBarriers(connection)
    }
  }

  /** Sends a reader what it can take of what it lacks. */
  #catchUp(connection: Connection): void {
    this.#guard(connection, this.#feed.catchUp(connection))
    this.#payBarriers(connection)
    if (!connection.ready) return
    if (connection.cursor !== null) this.#wake()
    if (connection.wants !== null) this.#schedule()
    if (connection.missedAwareness) {
      connection.missedAwareness = false
      connection.send([awarenessFrame(this.#awareness.present())])
    }
  }

  #guard(connection: Connection, sending: Promise<void> | null): void {
    sending?.then(() => this.#catchUp(connection)).catch((error: Error) => this.fail(error))
  }

  #scheduleAwareness(): void {
    if (this.#awarenessTimer !== null || this.#gone || !this.#awareness.hasChanged) return
    this.#awarenessTimer = setTimeout(() => {
      this.#awarenessTimer = null
      this.#own(() => this.#sendAwareness())
    }, AWARENESS_TICK_MS)
  }

  #sendAwareness(): void {
    const frame = awarenessFrame(this.#awareness.takeChanged())
    for (const connection of this.#connections) {
      if (connection.ready) connection.send([frame])
      else connection.missedAwareness = true
    }
  }

  // ── Life ───────────────────────────────────────────────────────────────────────────────────────────────────

  /** Sends signs of life, and cuts off readers that take nothing. */
  heartbeat(): void {
    this.#own(() => this.#beat())
  }

  #beat(): void {
    const now = this.#env.now()
    this.#awareness.forgetOld(now)
    this.#feed.forget()
    if (this.#isCheckpointDue) this.#schedule()
    const alive = awarenessFrame([])
    for (const connection of this.#connections) {
      const { speaker } = connection
      if (connection.cutIfStalled(now, this.#env.slowReaderMs))
        this.#env.onClose(CLOSE.slowReader, 'slow reader', speaker, 0)
      else if (connection.ready) connection.send([alive])
    }
  }

  /** Call only between turns, when the document holds exactly what is on disk. */
  async #checkpoint(): Promise<void> {
    try {
      await this.#checkpoints.write(() => this.#live.missing())
    } catch (error) {
      this.fail(error as Error)
    }
  }

  /** Resolves when the document can be loaded and written again; fails the room where it cannot, and rejects. */
  async prove(): Promise<void> {
    await this.loaded
    this.#own(() => void this.#live.missing())
    if (this.#failure !== null) throw this.#failure
  }

  /** Resolves when nothing of this room is on its way to the log any more. */
  async ended(): Promise<void> {
    await this.#stored
    await this.#checkpoints.settled()
  }

  /** Resolves when everything received so far is on disk and its barriers are answered. */
  async flush(): Promise<void> {
    await this.loaded.catch(() => {})
    if (this.#gone) return
    await new Promise<void>((resolve) => {
      this.#idleWaiters.push(resolve)
      this.#schedule()
    })
  }

  #idleLater(): void {
    if (this.#idleTimer !== null) clearTimeout(this.#idleTimer)
    if (this.#gone) return
    const idle = (): void => void this.#idle().catch((error: Error) => this.fail(error))
    this.#idleTimer = setTimeout(idle, IDLE_ROOM_MS)
    this.#idleTimer.unref()
  }

  async #idle(): Promise<void> {
    if (this.#connections.size > 0 || this.#closed) return
    await this.flush()
    await this.writeCheckpoint()
    if (this.#gone) return
    const busy = this.#connections.size + this.#admission.waiting + this.#commands.size
    if (busy > 0 || this.#flying || this.#env.keeps(this)) return this.#idleLater()
    this.#env.onIdle(this)
  }

  /** Writes what there is since the last checkpoint into one. */
  async writeCheckpoint(): Promise<void> {
    await this.#checkpoints.settled()
    if (this.#gone || this.#early !== null || this.#flying || this.#checkpoints.upToDate) return
    await this.#checkpoint()
  }

  /** Nothing is taken or answered any more; every connection is closed with 4503. */
  fail(error: Error): void {
    if (this.#gone) return
    const failure = error instanceof Corruption ? error : new Fault(this.name, error)
    this.#failure = failure
    for (const { reject } of [...this.#running.splice(0), ...this.#commands.takeAll()]) {
      reject(failure)
    }
    for (const connection of this.#connections) {
      connection.close(CLOSE.storageFailed, 'the workspace cannot be served at the moment')
    }
    this.dispose()
    this.#env.onFailure(this, error)
  }

  /** Closes every connection with 1001. */
  close(): void {
    this.dispose()
    for (const connection of this.#connections) connection.close(1001, 'the server is stopping')
  }

  /** Lets go of timers and the document. */
  dispose(): void {
    this.#closed = true
    this.#gone = true
    for (const done of this.#idleWaiters.splice(0)) done()
    if (this.#idleTimer !== null) clearTimeout(this.#idleTimer)
    if (this.#awarenessTimer !== null) clearTimeout(this.#awarenessTimer)
    this.#live.destroy()
  }
}

const isNewcomer = (frame: Frame): boolean =>
  frame.type === 'syncStep1' && EMPTY_STATE_VECTOR(frame.stateVector)

/** Whether it takes the document, and not just the log, to answer this; it says whose the client id of a state is. */
const needsDocument = (frame: Frame): boolean =>
  frame.type === 'update' ||
  frame.type === 'awareness' ||
  frame.type === 'barrier' ||
  (frame.type === 'syncStep1' && !isNewcomer(frame))
