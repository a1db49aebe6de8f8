import { createHash } from 'node:crypto'
import { basename } from 'node:path'
import { setImmediate as nextTick, setTimeout as sleep } from 'node:timers/promises'
import { ClawError } from '../../workspace/errors.ts'
import type { AgentId, FileId } from '../../workspace/ids.ts'
import type { MirrorOld, Replica } from '../../workspace/link/replica.ts'
import type { Session } from '../../workspace/link/session.ts'
import { allFiles } from '../../workspace/tree.ts'
import { digestOf } from './base.ts'
import { Bases } from './bases.ts'
import { Dirty, RESTLESS_MS } from './dirty.ts'
import { Folder } from './folder.ts'
import { type Ignored, RULE_FILES } from './ignored.ts'
import { type Looked, Merge, type MirrorEvent, type Write } from './merge.ts'
import { Overwritten } from './overwritten.ts'
import { checkPrefix, problemOf, relOf, shadowed } from './paths.ts'
import { onShared, sharedLength } from './shared.ts'
import { type Watch, watchFolder } from './watch.ts'

/** A file that was written to is read once it has been left alone for so long (ms). */
const SETTLE_MS = 40
/** A file that is gone, or empty, may be one that an editor is about to write: for so long it is waited for (ms). */
const ABSENT_MS = 300
const EMPTY_MS = 600
/** Changes of the document that come within this are carried to the disk together (ms). */
const GATHER_MS = 8
/** What is read, merged and committed at a time: the link has other work, too (count; UTF-16 units). */
const BATCH_FILES = 200
const BATCH_UNITS = 1024 * 1024
/** Files that are written at a time (count). */
const WRITERS = 8
/** When a watcher told so much (count) everything is looked at again, once that is over (ms): it may have lost some. */
const BURST = 500
const RESCAN_MS = 1_000
/** The server confirms so much at a time, and twice that is under way at most: one frame to catch up with holds it (UTF-16 units). */
const WINDOW_UNITS = 2 * 1024 * 1024
const SERVER_MS = 15_000
const RETRY_MS = 1_000
/** A link that starts connects in a moment (ms). */
const CONNECT_MS = 10

/** What a mirror asks of a session: to have what the server has, and to know what it has on disk. */
export type Connection = Pick<Session, 'synced' | 'barrier'>

export interface MirrorOptions {
  dir: string
  /** Of the shared paths; what follows it is the path below `dir`. */
  prefix: string
  /** A folder that is never mirrored, wherever it is: where the replicas are. */
  without: string
  replica: Replica
  /** The connection, where there is one. */
  session: () => Connection | null
  me: AgentId
  report: (event: MirrorEvent) => void
  /** Files of the first pass that are done, of how many (count). */
  progress?: (done: number, total: number) => void
}

/** What the first pass came to. */
export interface FirstPass {
  /** Files that disk and document have both (count). */
  files: number
  /** Files that are not mirrored (count). */
  skipped: number
  /** Whether the server has it on disk. */
  durable: boolean
}

/**
 * Keeps a folder on disk and the shared files the same, both ways. For each path it knows the base, the text that both
 * had when they last agreed. A path is dirty when the watcher or the document says so; once it has settled, disk, base
 * and document are compared (`decide`), by their contents and never by times, so that what the mirror itself wrote is
 * nothing new. What the disk has is put into the document as a change of the base, and what comes of that is written back.
 *
 * Document and base change in one commit; before a file is written its digest is committed (`Bases.plan`). So the mirror
 * may end at any moment, and starting is nothing but looking at every path.
 */
export class Mirror {
  readonly folder: Folder
  readonly prefix: string
  /** Resolves when everything was looked at once, and the server has that or cannot be reached. */
  readonly ready: Promise<FirstPass>
  readonly #options: MirrorOptions
  readonly #bases: Bases
  readonly #merge: Merge
  readonly #overwritten: Overwritten
  readonly #ended = new AbortController()
  readonly #offShared: () => void
  readonly #dirty: Dirty
  readonly #skipped = new Map<string, string>()
  #ignored: Ignored = () => true
  #shadowed = new Map<string, string>()
  #watch: Watch | null = null
  #rescan: NodeJS.Timeout | null = null
  #confirming: Promise<void> = Promise.resolve()
  #hasNewRules = false
  /** What the watcher told since everything was looked at (count). */
  #told = 0
  #isFirstPass = true

  private constructor(
    options: MirrorOptions,
    folder: Folder,
    prefix: string,
    id: string,
    bases: Bases,
    olds: readonly [number, MirrorOld][],
  ) {
    this.#options = options
    this.folder = folder
    this.prefix = prefix
    this.#bases = bases
    const { me, report } = options
    this.#merge = new Merge({ doc: options.replica.doc, me, bases, report })
    this.#overwritten = new Overwritten(options.replica, id, olds, (rel, before, text) =>
      this.#onLate(rel, before, text),
    )
    this.#dirty = new Dirty((due) =>
      this.#take(due).catch((error) => this.#stop(ClawError.from(error).message)),
    )
    this.#offShared = onShared(options.replica.doc, this, (keys) => this.#onShared(keys))
    this.ready = this.#start()
    this.ready.catch(() => {}) // told by `stopped`
  }

  /** Throws `no_such_local_file`, `bad_path`. */
  static async open(options: MirrorOptions): Promise<Mirror> {
    const folder = new Folder(options.dir, options.without)
    const prefix = checkPrefix(options.prefix)
    const id = createHash('sha256').update(`${folder.path}\0${prefix}`).digest('hex').slice(0, 16)
    const bases = await Bases.load(options.replica, id)
    const olds = await options.replica.mirrorOlds(id)
    return new Mirror(options, folder, prefix, id, bases, olds)
  }

  /** Files that are mirrored (count). */
  get files(): number {
    return this.#bases.size
  }

  /** Paths that are not mirrored, and why. */
  get skipped(): ReadonlyMap<string, string> {
    return this.#skipped
  }

  get isStopped(): boolean {
    return this.#ended.signal.aborted
  }

  /** Resolves when nothing is left to do for now. */
  idle(): Promise<void> {
    return this.#dirty.idle()
  }

  /** Ends what was begun; what is dirty is found again by the next start. */
  async close(): Promise<void> {
    if (!this.isStopped) this.#end()
    await this.#watch?.close()
    await this.#dirty.settled()
    this.#overwritten.close()
    if (!this.#options.replica.isClosed) await this.#options.replica.commit()
  }

  #end(): void {
    this.#ended.abort()
    this.#offShared()
    if (this.#rescan !== null) clearTimeout(this.#rescan)
    this.#dirty.end()
  }

  #stop(why: string): void {
    if (this.isStopped) return
    this.#end()
    this.#options.report({ type: 'stopped', file_key: this.prefix, why })
  }

  async #start(): Promise<FirstPass> {
    try {
      await this.#synced()
      await this.#scan()
      this.#forgetEmptied()
      const total = this.#dirty.size
      this.#dirty.run()
      this.#options.progress?.(0, total)
      await this.idle()
      this.#isFirstPass = false
      if (!this.isStopped) this.#overwritten.start()
      this.#options.progress?.(total, total)
      const durable = await this.#isConfirmed()
      return { files: this.files, skipped: this.#skipped.size, durable }
    } catch (error) {
      this.#stop(ClawError.from(error).message)
      throw error
    }
  }

  /** What others have is waited for: a file that is created twice has both texts in it. */
  async #synced(): Promise<void> {
    const { session, replica } = this.#options
    while (!this.isStopped) {
      const open = session()
      try {
        if (open !== null) return await open.synced(SERVER_MS)
      } catch {
        if (replica.doc.store.clients.size > 0) return // they shared something before; this merges later
      }
      await this.#sleep(open === null ? CONNECT_MS : RETRY_MS)
    }
  }

  async #sleep(ms: number): Promise<void> {
    await sleep(ms, null, { signal: this.#ended.signal }).catch(() => {})
  }

  /** Watches and looks at everything, by the rules as they are now. */
  async #scan(): Promise<void> {
    this.#hasNewRules = false
    await this.#watch?.close()
    const { ignored } = this.folder.scan()
    this.#ignored = ignored
    this.#watch = await watchFolder(
      this.folder.path,
      (rel, isFolder) => this.#ignored(rel, isFolder),
      (rel) => this.#onDisk(rel),
      (error) => this.#options.report({ type: 'skipped', file_key: '', why: error.message }),
    )
    if (this.isStopped) return this.#watch.close()
    this.#look()
  }

  /** Makes dirty what is on disk, in the document and in the bases. */
  #look(): void {
    const { doc } = this.#options.replica
    const { files, others, ignored } = this.folder.scan()
    this.#ignored = ignored
    for (const [rel, why] of others) this.#skip(rel, why)
    const rels = new Set([...this.#bases.paths(), ...files])
    for (const { key } of allFiles(doc)) {
      const rel = relOf(this.prefix, key)
      if (rel !== null) rels.add(rel)
    }
    this.#shadow(rels)
    for (const rel of [...rels].sort()) this.#dirty.mark(rel, 0)
  }

  #shadow(rels: Iterable<string>): void {
    if (!this.folder.foldsCase) return
    this.#shadowed = shadowed(rels, (rel) => this.#bases.get(rel) !== undefined)
  }

  /** A folder in which nothing is left is one that is not there: a disk that is not mounted, a fresh clone. */
  #forgetEmptied(): void {
    const paths = this.#bases.paths()
    if (paths.some((rel) => this.folder.look(rel).kind !== 'absent')) return
    for (const rel of paths) this.#bases.drop(rel)
  }

  #onDisk(rel: string): void {
    if (RULE_FILES.includes(basename(rel))) this.#hasNewRules = true
    this.#told++
    if (rel !== '') this.#dirty.mark(rel, SETTLE_MS)
  }

  #onShared(keys: Iterable<string> | null): void {
    if (keys === null) this.#look()
    for (const key of keys ?? []) {
      const rel = relOf(this.prefix, key)
      if (rel === null || this.#dirty.has(rel)) continue // who looks at the disk looks here, too
      if (this.folder.foldsCase)
        this.#shadow([...this.#bases.paths(), ...this.#shadowed.keys(), rel])
      this.#dirty.mark(rel, GATHER_MS)
    }
  }

  /** Brings these paths together, a batch at a time. */
  async #take(rels: readonly string[]): Promise<void> {
    const { replica } = this.#options
    if (this.#told >= BURST) this.#lookLater()
    for (let i = 0; i < rels.length && !this.isStopped; ) {
      if (!this.folder.isThere()) return this.#stop(`${this.folder.path} is not there any more`)
      const batch: Looked[] = []
      let units = 0
      while (i < rels.length && batch.length < BATCH_FILES && units < BATCH_UNITS) {
        const rel = rels[i++]!
        this.#dirty.begin(rel)
        const one = this.#lookAt(rel)
        if (one === null) continue
        batch.push(one)
        units += Math.max(one.disk?.length ?? 0, sharedLength(replica.doc, one.key))
      }
      await this.#reconcile(batch)
      if (this.#merge.units > WINDOW_UNITS) {
        await this.#confirming
        this.#merge.units = 0
        this.#confirming = this.#confirm()
      }
      if (this.#isFirstPass) this.#options.progress?.(i, rels.length)
      await nextTick()
    }
    if (this.#hasNewRules && !this.isStopped) await this.#scan()
  }

  #lookLater(): void {
    this.#told = 0
    if (this.#rescan !== null) clearTimeout(this.#rescan)
    this.#rescan = setTimeout(() => this.#look(), RESCAN_MS)
  }

  /** What is on disk; null: nothing that is to be mirrored, or not yet. */
  #lookAt(rel: string): Looked | null {
    const key = `${this.prefix}${rel}`
    if (this.#ignored(rel)) {
      this.#bases.drop(rel)
      return null
    }
    const other = this.#shadowed.get(rel)
    if (other !== undefined) return this.#skip(rel, `on this disk it is the same as ${other}`)
    const seen = this.folder.look(rel)
    const problem = problemOf(rel)
    if (problem !== null) {
      // Another way to write a name is for those who have it: here it is not to come and go.
      return this.#skip(rel, problem)
    }
    if (seen.kind === 'other') return this.#skip(rel, seen.why)
    const base = this.#bases.get(rel)
    if (seen.kind === 'moving') return this.#wait(rel, 'moving', RESTLESS_MS)
    const disk = seen.kind === 'text' ? seen.text : null
    const digest = disk === null ? null : digestOf(disk)
    if (digest !== null && digest === base?.next) {
      this.#bases.keep(rel, disk!, base.fileId as FileId)
      return { rel, key, disk, digest, at: 0, base: this.#bases.get(rel), from: [] }
    }
    if (base !== undefined && base.digest !== null && digest !== base.digest) {
      if (disk === null && this.#dirty.isUnsettled(rel, 'absent', ABSENT_MS)) return null
      if (disk === '' && this.#dirty.isUnsettled(rel, 'empty', EMPTY_MS)) return null
    }
    if (seen.kind === 'text' && digest !== base?.digest && seen.text !== '') {
      const age = Date.now() - seen.at
      if (
        age >= 0 &&
        age < SETTLE_MS &&
        this.#dirty.isUnsettled(rel, 'fresh', RESTLESS_MS, SETTLE_MS)
      ) {
        return null
      }
    }
    this.#dirty.settle(rel)
    const at = seen.kind === 'text' ? seen.at : 0
    return { rel, key, disk, digest, at, base, from: [] }
  }

  #wait(rel: string, how: string, ms: number): null {
    this.#dirty.isUnsettled(rel, how, ms, SETTLE_MS)
    return null
  }

  #skip(rel: string, why: string): null {
    if (this.#skipped.get(rel) === why) return null
    this.#skipped.set(rel, why)
    this.#options.report({ type: 'skipped', file_key: `${this.prefix}${rel}`, why })
    return null
  }

  async #reconcile(batch: readonly Looked[]): Promise<void> {
    const { replica } = this.#options
    for (const one of batch) {
      if (one.digest === null || one.digest === one.base?.digest) continue
      const texts = await this.#bases.texts(one.rel)
      if (texts.length > 0) one.from = [...texts, ...this.#overwritten.texts(one.rel, one.at)]
    }
    const writes: Write[] = []
    replica.doc.transact(() => {
      for (const one of batch) {
        try {
          const write = this.#merge.decide(one)
          if (write !== null) writes.push(write)
          this.#skipped.delete(one.rel)
        } catch (error) {
          this.#skip(one.rel, ClawError.from(error).message)
        }
      }
    }, this)
    await replica.commit()
    if (writes.length === 0) return
    const done: Write[] = []
    const left = writes.values()
    await Promise.all(
      Array.from({ length: Math.min(WRITERS, writes.length) }, async () => {
        for (const write of left) if (await this.#write(write)) done.push(write)
      }),
    )
    await this.folder.flush(done.map(({ rel }) => rel))
    for (const { rel, key, text, expected, fileId } of done) {
      if (text === null) this.#bases.drop(rel)
      else this.#bases.keep(rel, text, fileId)
      const change = text === null ? 'removed' : expected === null ? 'created' : 'changed'
      this.#options.report({ type: 'in', file_key: key, change })
    }
    await replica.commit()
  }

  /** Carries it out; whether it came to that. */
  async #write({ rel, text, expected }: Write): Promise<boolean> {
    try {
      const change =
        text === null
          ? this.folder.remove(rel, expected!)
          : await this.folder.replace(rel, text, expected)
      if (change.done && expected !== null) this.#overwritten.add(rel, expected, change.old)
      if (!change.done) this.#dirty.mark(rel, SETTLE_MS)
      return change.done
    } catch (error) {
      this.#skip(rel, (error as NodeJS.ErrnoException).code ?? (error as Error).message)
      return false
    }
  }

  /** Somebody had a file open that was replaced, and wrote to it all the same. */
  #onLate(rel: string, before: string, text: string): void {
    const { replica } = this.#options
    if (replica.isClosed) return
    try {
      replica.doc.transact(() => this.#merge.putText(`${this.prefix}${rel}`, text, before), this)
    } catch (error) {
      this.#skip(rel, ClawError.from(error).message)
    }
    if (!this.isStopped) this.#dirty.mark(rel, 0)
  }

  /** Whether the server has everything on disk. */
  async #isConfirmed(): Promise<boolean> {
    try {
      const session = this.#options.session()
      await session?.barrier(SERVER_MS)
      return session !== null
    } catch {
      return false
    }
  }

  /** Waits for the server, and if need be for its coming back. */
  async #confirm(): Promise<void> {
    while (!this.isStopped && !(await this.#isConfirmed())) await this.#sleep(RETRY_MS)
  }
}
