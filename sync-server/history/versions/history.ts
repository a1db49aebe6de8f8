import type * as Y from 'yjs'
import { LazyMap } from '../../../lib/lazy.ts'
import type { FileId } from '../../../protocol/ids.ts'
import { countedVersions, fileState, hasCounts } from '../../../workspace/files/file-state.ts'
import { MAX_WAITING_VERSIONS, VERSION_CACHE, VERSIONS_GATHER_MS } from '../../config/limits.ts'
import type { VersionLog } from '../../storage/version-log.ts'
import type { Room } from '../../sync/room.ts'
import { TextCache } from './cache.ts'
import { addCounted, type Counted, CountedFiles } from './counted.ts'
import { readHead } from './record.ts'
import { type Taken, type Writing, writeVersions } from './write.ts'

/** Stored as one batch: at most this many versions (count), and no more once their texts reach these UTF-16 units. */
const BATCH = 64
const BATCH_UNITS = 1024 * 1024

export interface HistoryEnv extends Writing {
  log: VersionLog
  now: () => number
  onError: (error: unknown) => void
}

/**
 * Keeps versions of every workspace's files: one for each commit in which change sets of a file were counted. What
 * editors type without counting goes into the next. Change sets that came in one commit are one version.
 */
export class FileHistory {
  readonly #env: HistoryEnv
  readonly #cache = new TextCache(VERSION_CACHE)
  /** By workspace, not by room: states of an old room are stored before those of its successor. */
  readonly #workspaces = new Map<string, WorkspaceHistory>()

  constructor(env: HistoryEnv) {
    this.#env = env
  }

  /** From now on this is the room's document. */
  follow(room: Room, doc: Y.Doc): void {
    let history = this.#workspaces.get(room.name)
    if (history === undefined) {
      history = new WorkspaceHistory(room.name, this.#env, this.#cache)
      this.#workspaces.set(room.name, history)
    }
    history.follow(room, doc)
  }

  /** Notes that the room's document is on disk. Call it before the document changes again. */
  committed(room: Room): void {
    this.#workspaces.get(room.name)?.committed()
  }

  /** Resolves when all commits before the call have their versions. */
  async settled(workspace: string): Promise<void> {
    await this.#workspaces.get(workspace)?.settled()
  }

  /** Drops what is not stored yet of a workspace: another process may write it, and adds what is missing. */
  forget(workspace: string): void {
    this.#workspaces.get(workspace)?.end()
    this.#workspaces.delete(workspace)
    this.#cache.forget(`${workspace}:`)
  }

  async close(): Promise<void> {
    await Promise.all([...this.#workspaces.values()].map((history) => history.settled()))
  }
}

/**
 * One workspace's part. A commit only notes which files it counted. Their texts are read once it was sent to everyone,
 * or before the next change if that comes first, and stored later, many together. A crash in between loses the
 * note: so when a document is loaded, files that are newer than their newest version get one.
 */
class WorkspaceHistory {
  readonly #name: string
  readonly #env: HistoryEnv
  readonly #cache: TextCache
  #room: Room | null = null
  #doc: Y.Doc | null = null
  #counted: CountedFiles | null = null
  /** On disk; to be read before the document changes. */
  #due: Counted = new LazyMap()
  /** Read; to be stored. */
  #waiting: Taken[] = []
  #waitingUnits = 0
  /** To be read once there is room again. */
  #behind: Counted = new LazyMap()
  /** True while a loaded document may be newer than the stored versions. */
  #unchecked = false
  #storing: Promise<void> | null = null
  /** Callers of `settled`, each with the number of stored states that it waits for. */
  #waiters: { until: number; resolve: () => void }[] = []
  #done = 0
  #hasEnded = false
  #wake: () => void = () => {}

  constructor(name: string, env: HistoryEnv, cache: TextCache) {
    this.#name = name
    this.#env = env
    this.#cache = cache
  }

  follow(room: Room, doc: Y.Doc): void {
    this.#room = room
    this.#doc = doc
    this.#counted = new CountedFiles(doc)
    // Of a document without files no version can be missing.
    this.#unchecked = hasCounts(doc)
    doc.on('beforeTransaction', () => {
      if (doc === this.#doc) this.#read()
    })
    if (this.#isBehind) this.#store()
  }

  committed(): void {
    const counted = this.#counted!.take()
    if (counted.size === 0) return
    for (const [id, clients] of counted) addCounted(this.#due, id, clients)
    setImmediate(() => this.#read())
  }

  #read(): void {
    if (this.#due.size === 0) return
    const due = this.#due
    this.#due = new LazyMap()
    try {
      for (const [id, clients] of due) this.#take(id, clients)
    } catch (error) {
      // The room is in a turn: an error here must not stop it.
      this.#env.onError(error)
    }
    this.#store()
  }

  #take(id: FileId, clients: ReadonlySet<string> | null): void {
    addCounted(this.#behind, id, clients)
    if (this.#waitingUnits >= MAX_WAITING_VERSIONS) return
    const state = fileState(this.#doc!, id, this.#behind.get(id)!)
    this.#behind.delete(id)
    if (state === null) return
    this.#waiting.push({ state, at: this.#env.now() })
    this.#waitingUnits += state.content.length
  }

  /** Stores what waits, and goes on until nothing does. */
  #store(): void {
    this.#storing ??= this.#run()
      .catch((error) => {
        this.#giveUp()
        this.#waiting = []
        this.#waitingUnits = 0
        this.#env.onError(error)
      })
      .finally(() => {
        this.#storing = null
        this.#answer()
        if (this.#isBehind) this.#store()
      })
  }

  get #isBehind(): boolean {
    return this.#unchecked || this.#waiting.length > 0 || this.#behind.size > 0
  }

  async #run(): Promise<void> {
    while (this.#isBehind) {
      await this.#gather()
      if (this.#unchecked) await this.#check()
      if (this.#waiting.length === 0) await this.#readBehind()
      await this.#storeBatch()
      this.#answer()
    }
  }

  /** Resolves after a while, or at once if a caller waits. */
  #gather(): Promise<void> {
    if (this.#waiters.length > 0) return Promise.resolve()
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, VERSIONS_GATHER_MS)
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  /** Finds the files of which a version is missing. */
  async #check(): Promise<void> {
    const heads = await this.#env.log.heads(this.#name)
    await this.#onDisk((doc) => {
      if (doc === this.#doc) this.#unchecked = false
      const waiting = new Set(this.#waiting.map(({ state }) => state.fileId))
      for (const [id, version] of countedVersions(doc)) {
        const head = heads.get(id)
        if (waiting.has(id) || version <= (head === undefined ? 0 : readHead(head).version))
          continue
        addCounted(this.#behind, id, null)
      }
    })
  }

  async #readBehind(): Promise<void> {
    const ids = [...this.#behind.keys()]
    if (ids.length === 0) return
    let taken: readonly Taken[] = []
    const isStored = await this.#onDisk(() => {
      const waiting = this.#waiting.length
      for (const id of ids) {
        if (this.#waiting.length - waiting >= BATCH || this.#waitingUnits >= BATCH_UNITS) break
        if (this.#behind.has(id)) this.#take(id, this.#behind.get(id)!)
      }
      taken = this.#waiting.slice(waiting)
    })
    if (!isStored) this.#drop(taken)
  }

  /** Drops states of a turn that was not stored: nobody was shown them, and others may get their numbers. */
  #drop(states: readonly Taken[]): void {
    this.#waiting = this.#waiting.filter((one) => !states.includes(one))
    for (const { state } of states) this.#waitingUnits -= state.content.length
  }

  /**
   * Reads from the document; resolves to true when all it read is on disk. Reads nothing once the room is not in memory. What
   * is read in a turn that is not stored counts as not read: false.
   */
  async #onDisk(read: (doc: Y.Doc) => void): Promise<boolean> {
    const [room, doc] = [this.#room!, this.#doc!]
    try {
      await room.command(read)
      return true
    } catch (error) {
      if (room !== this.#room) return false
      if (!doc.isDestroyed) throw error
      this.#giveUp()
      return false
    }
  }

  /** Stores nothing more. */
  end(): void {
    this.#hasEnded = true
    this.#due = new LazyMap()
    this.#waiting = []
    this.#waitingUnits = 0
    this.#giveUp()
    this.#wake()
    this.#answer()
  }

  /** Drops the waiting states; they are found again when the document is loaded. */
  #giveUp(): void {
    this.#unchecked = false
    this.#behind = new LazyMap()
  }

  async #storeBatch(): Promise<void> {
    const batch: Taken[] = []
    let units = 0
    for (const taken of this.#waiting) {
      if (batch.length === BATCH || units >= BATCH_UNITS) break
      batch.push(taken)
      units += taken.state.content.length
    }
    const writing = { ...this.#env, hasEnded: () => this.#hasEnded }
    await writeVersions(this.#env.log, this.#name, batch, this.#cache, writing)
    if (this.#hasEnded) return
    this.#waiting.splice(0, batch.length)
    this.#waitingUnits -= units
    this.#done += batch.length
  }

  async settled(): Promise<void> {
    this.#read()
    while (this.#unchecked && this.#storing !== null) await this.#pass(0)
    if (this.#isBehind) await this.#pass(this.#waiting.length + this.#behind.size)
  }

  /** Resolves when this many more versions are stored, at the latest when nothing is left to be. */
  #pass(more: number): Promise<void> {
    return new Promise((resolve) => {
      this.#waiters.push({ until: this.#done + more, resolve })
      this.#wake()
    })
  }

  #answer(): void {
    const isIdle = this.#storing === null && !this.#isBehind
    const answered = this.#waiters.filter(({ until }) => isIdle || until <= this.#done)
    this.#waiters = this.#waiters.filter((waiter) => !answered.includes(waiter))
    for (const { resolve } of answered) resolve()
  }
}
