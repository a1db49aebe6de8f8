import type * as Y from 'yjs'
import type { Attribution, Credit } from '../../lib/attribution/runs.ts'
import { CLOSE, WireError } from '../../protocol/frames.ts'
import type { UpdateLog } from '../storage/update-log.ts'
import type { Admission, Entry } from './admission.ts'
import type { Barrier, Barriers } from './barriers.ts'
import type { CommandBatch, Commands, TaskOf } from './commands.ts'
import type { Connection } from './connection.ts'
import type { Feed } from './feed.ts'
import type { Gate } from './gate.ts'
import { type Chunk, framesOf } from './outgoing/ring.ts'
import { agentOf, OWNER_NAME } from './principal.ts'
import type { Readers } from './readers.ts'
import type { Checkpoints } from './turn/checkpoints.ts'
import { creditsOf, noteOwn } from './turn/credits.ts'
import { Gather } from './turn/gather.ts'
import { RecentDeletions } from './turn/recent-deletions.ts'
import type { Deletions } from './updates/deletion-watch.ts'
import { type LiveDocument, salvage } from './updates/document.ts'

/**
 * A commit of this many updates that makes this many deliveries goes out as one update (counts): encoding it costs less
 * then than what the readers save. A longer one goes out as it came, since a frame has a most size.
 */
const MERGED_UPDATES = 4
const MERGED_DELIVERIES = 64
const MOST_MERGED_BYTES = 128 * 1024

export interface TurnLoopEnv {
  name: string
  log: UpdateLog
  now: () => number
  live: LiveDocument
  gate: Gate
  admission: Admission
  commands: Commands
  barriers: Barriers
  feed: Feed
  readers: Readers
  connections: ReadonlySet<Connection>
  checkpoints: Checkpoints
  /** The task that an agent works on, as far as the server can tell. */
  taskOf: TaskOf
  /** Settles when the log was read, and a new workspace's first record written. */
  opened: Promise<unknown>
  /** True once the document is built. */
  isLoaded: () => boolean
  /** False once the lease has ended; the room ends then. */
  mayRead: () => boolean
  /** Replaces a document that could not be updated by `doc`. */
  adopt: (doc: Y.Doc) => void
  refuse: (connection: Connection, error: unknown) => void
  /** Runs the room's own work; an error in it ends the room. */
  guard: (work: () => void) => void
  fail: (error: Error) => void
  onCommit: (updates: number, bytes: number, ms: number) => void
}

/**
 * Orders the changes of a room's document.
 *
 * Work runs in turns, one commit at a time: apply all received updates → one durable log record → send it to all
 * connections and answer its barriers. Between two turns the document equals the state on disk, and state is read only
 * then. No client ever sees an update that a crash or a power loss could take back.
 */
export class TurnLoop {
  readonly #env: TurnLoopEnv
  readonly #gather = new Gather()
  readonly #recent: RecentDeletions
  /** The log position that the document holds between turns. */
  #durable = 0
  #isScheduled = false
  #isCommitting = false
  #isStopped = false
  /** The newest record on its way to the log. */
  #stored: Promise<unknown>
  readonly #flushes: (() => void)[] = []

  constructor(env: TurnLoopEnv) {
    this.#env = env
    this.#recent = new RecentDeletions(env.now)
    this.#stored = env.opened.catch(() => {}) // the room reports that itself
  }

  get durable(): number {
    return this.#durable
  }

  /** True if no work waits for a turn and no commit is under way. */
  get isIdle(): boolean {
    return this.#waiting === 0 && !this.#isCommitting
  }

  get #waiting(): number {
    return this.#env.admission.waiting + this.#env.commands.size
  }

  /** Notes that the log was read up to `seq`. */
  opened(seq: number): void {
    this.#durable = seq
  }

  schedule(): void {
    if (this.#isScheduled || this.#isCommitting || this.#isStopped || !this.#env.isLoaded()) return
    this.#isScheduled = true
    setImmediate(() => this.#env.guard(() => this.#turn()))
  }

  /** Resolves when everything received so far is on disk and its barriers are answered, or the loop has stopped. */
  flush(): Promise<void> {
    return new Promise<void>((resolve) => {
      this.#flushes.push(resolve)
      this.schedule()
    })
  }

  /** Stops the loop: no turn begins afterwards; a pending record is still stored. */
  stop(): void {
    this.#isStopped = true
    this.#flushed()
  }

  /** Resolves when no write to the log is pending. */
  async ended(): Promise<void> {
    await this.#stored
    await this.#env.checkpoints.settled()
  }

  /** Writes the records since the last checkpoint into one, unless a commit is under way. */
  async writeCheckpoint(): Promise<void> {
    const { checkpoints, isLoaded } = this.#env
    await checkpoints.settled()
    if (this.#isStopped || !isLoaded() || this.#isCommitting || checkpoints.upToDate) return
    await this.#checkpoint()
  }

  /**
   * Call only between turns, when the document equals the state on disk. Fails the room if the
   * checkpoint cannot be stored.
   */
  async #checkpoint(): Promise<void> {
    const { checkpoints, live, fail } = this.#env
    try {
      await checkpoints.write(() => live.missing())
    } catch (error) {
      fail(error as Error)
    }
  }

  #flushed(): void {
    for (const done of this.#flushes.splice(0)) done()
  }

  /** At the start of a turn the document equals the state on disk. */
  #turn(): void {
    this.#isScheduled = false
    if (this.#isCommitting || this.#isStopped || !this.#env.mayRead()) return
    const { admission, barriers, readers, checkpoints, gate } = this.#env
    if (this.#gather.wait(this.#waiting)) {
      this.schedule()
      return
    }
    readers.answerSyncRequests(this.#durable)
    if (checkpoints.isDue) void this.#checkpoint()
    if (this.#isStopped) return
    const covered = barriers.take()
    if (this.#waiting === 0) {
      barriers.answer(covered, this.#durable)
      this.#flushed()
      return
    }
    const { entries, slice } = admission.take()
    this.#isCommitting = true
    const began = performance.now()
    const { isApplied, merged } = this.#apply(entries)
    if (isApplied) {
      gate.applied()
      this.#commit(entries, covered, merged)
      if (slice !== null) slice.ms = performance.now() - began
    } else this.#commitGood(entries, covered)
  }

  /** `merged`: all that the entries changed as one update, if it is to go out so. */
  #apply(entries: readonly Entry[]): { isApplied: boolean; merged: Uint8Array | null } {
    const { live, connections } = this.#env
    const updates = entries.map(({ update }) => update)
    let merged: Uint8Array | null = null
    const deliveries = updates.length * connections.size
    const pays = updates.length >= MERGED_UPDATES && deliveries >= MERGED_DELIVERIES
    const onMerged = (update: Uint8Array): void => {
      if (update.length <= MOST_MERGED_BYTES) merged = update
    }
    return { isApplied: live.apply(updates, pays ? onMerged : undefined), merged }
  }

  /** Commits the good ones of entries that could not be applied together. */
  #commitGood(entries: readonly Entry[], covered: readonly Barrier[]): void {
    void this.#salvage(entries)
      .then((good) => {
        if (good !== null) this.#commit(good, covered)
      })
      .catch((error: Error) => this.#env.fail(error))
  }

  /** The credits of clients' updates, with the tasks that their agents hold now. */
  #credits(entries: readonly Entry[], deleted: Deletions): Credit[] {
    const known = new Map<Connection, Attribution>()
    return creditsOf(
      entries,
      deleted,
      (i) => {
        const connection = entries[i]!.connection!
        const found = known.get(connection)
        if (found !== undefined) return found
        const agent = agentOf(connection.speaker)
        const task = agent === null ? null : this.#env.taskOf(agent)
        const by = { by: agent ?? OWNER_NAME, task, via: null }
        known.set(connection, by)
        return by
      },
      this.#recent,
    )
  }

  /** `merged`: what the entries changed, as one update; null: it is not known. */
  #commit(
    entries: readonly Entry[],
    covered: readonly Barrier[],
    merged: Uint8Array | null = null,
  ): void {
    const { name, log, now, live, gate, commands, guard, fail } = this.#env
    const deleted = live.takeDeletions()
    const credits = this.#credits(entries, deleted)
    const batch = commands.run(live, gate, this.#env.taskOf)
    const own = batch.updates
    const ownDeleted = live.takeDeletions()
    noteOwn(this.#recent, own, ownDeleted)
    const ofServer = own.map(({ update }) => ({ from: 0, update }))
    const sending = [...entries, ...ofServer]
    const { archived, facts } = batch
    if (sending.length === 0 && facts.length === 0) {
      this.#finish(batch, covered, null, 0)
      return
    }
    const started = now()
    const updates = sending.map(({ update }) => update)
    const authorship = {
      credits: [...credits, ...own.map(({ credit }) => credit)],
      deleted: [...deleted.texts, ...ownDeleted.texts],
    }
    const stored = log.append(name, updates, archived, gate.takeOwned(), facts, authorship)
    // Runs while the disk works.
    const sent = framesOf(entries, ofServer, merged)
    const bytes = updates.reduce((sum, update) => sum + update.length, 0)
    const committed = (seq: number): void => {
      // Durable commands are answered even if the room failed meanwhile.
      if (sending.length === 0 || this.#isStopped) {
        this.#finish(batch, covered, null, 0)
        return
      }
      const chunk = { seq, ...sent }
      this.#committed(chunk, updates.length, bytes, started)
      this.#finish(batch, covered, chunk, sending.length)
    }
    this.#stored = stored.then(
      (seq) => guard(() => committed(seq)),
      (error: Error) => {
        batch.reject(error)
        fail(error)
      },
    )
  }

  #committed(chunk: Chunk, updates: number, bytes: number, started: number): void {
    const { now, feed, checkpoints, guard, onCommit } = this.#env
    this.#durable = chunk.seq
    checkpoints.committed(updates, bytes)
    feed.push(chunk)
    guard(() => onCommit(updates, bytes, now() - started))
  }

  /** Answers a turn's commands and barriers, and sends its commit (null: it changed nothing) to everyone. */
  #finish(
    batch: CommandBatch,
    covered: readonly Barrier[],
    chunk: Chunk | null,
    size: number,
  ): void {
    const { commands, barriers, readers } = this.#env
    this.#isCommitting = false
    batch.answer()
    if (this.#isStopped) return
    for (const { connection } of covered) readers.catchUp(connection)
    barriers.answer(covered, this.#durable)
    // The next commit's fsync runs while this one is sent. Remaining commands wait for other work
    // first.
    if (commands.size > 0) this.schedule()
    else this.#turn()
    if (chunk === null) return
    const started = performance.now()
    readers.catchUpAll()
    this.#gather.sent(size, performance.now() - started)
  }

  /**
   * Finds the updates that could not be applied, so that they are neither stored nor sent. Resolves
   * to the other entries, applied, or to null if the loop stopped meanwhile.
   */
  async #salvage(entries: readonly Entry[]): Promise<Entry[] | null> {
    const { name, log, admission, refuse, adopt } = this.#env
    const { doc, good, bad } = await salvage(
      () => log.load(name),
      entries,
      (doc) => this.#env.live.watch(doc),
    )
    if (this.#isStopped) return null
    for (const { connection } of bad) {
      refuse(connection!, new WireError(CLOSE.malformed, 'update cannot be applied'))
    }
    adopt(doc)
    this.#recent.forget()
    admission.again()
    return good
  }
}
