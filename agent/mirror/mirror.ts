import { createHash } from 'node:crypto'
import type { MirrorOld } from '../../client/replica/replica.ts'
import { ClawError } from '../../protocol/errors.ts'
import { allFiles } from '../../workspace/files/tree.ts'
import { Bases } from './bases.ts'
import { Batches } from './batches.ts'
import { Carrier } from './carry.ts'
import { DirtyPaths } from './disk/dirty.ts'
import { Folder } from './disk/folder.ts'
import { whyOf } from './disk/way.ts'
import { Gone } from './gone.ts'
import { Looker } from './looker.ts'
import { Merge } from './merge.ts'
import { noteTo, rulesNews, waitingNews } from './news.ts'
import { Overwritten } from './overwritten.ts'
import { Reconciler } from './reconcile.ts'
import type { FirstPass, MirrorOptions } from './rules/options.ts'
import { checkPrefix, relOf } from './rules/paths.ts'
import { Upstream } from './rules/upstream.ts'
import { SETTLE_MS } from './settling.ts'
import { onShared } from './shared.ts'
import { Skipped } from './skipped.ts'
import { Terrain } from './terrain.ts'

export type { FirstPass, MirrorConnection as Connection, MirrorOptions } from './rules/options.ts'

/** Changes of the document within this time are carried to the disk together (ms). */
const GATHER_MS = 8

/**
 * Keeps a folder on disk and the shared files the same, both ways. For each path it keeps the base:
 * the text of both sides when they last agreed. The watcher and the document mark paths as dirty.
 * Once a path has settled, `decide` compares disk, base and document by content, never by time; a
 * file that the mirror wrote itself equals its base. A change on disk enters the document as a
 * change of the base, and the merged text is written back.
 *
 * Document and base change in one commit; the digest of a file is committed before the file is
 * written (`Bases.plan`). So the mirror may end at any moment, and a start compares every path. An
 * error at one path skips that path alone; it is retried.
 */
export class Mirror {
  readonly folder: Folder
  readonly prefix: string
  /**
   * Resolves when every path was compared once, and the server has the result or is unreachable.
   */
  readonly ready: Promise<FirstPass>
  readonly #options: MirrorOptions
  readonly #bases: Bases
  readonly #overwritten: Overwritten
  readonly #terrain: Terrain
  readonly #gone: Gone
  readonly #carrier: Carrier
  readonly #reconciler: Reconciler
  readonly #looker: Looker
  readonly #upstream: Upstream
  readonly #skipped = new Skipped({
    onNew: (rel, why) => this.#onSkipped(rel, why),
    onDue: (rels) => this.#again(rels),
  })
  readonly #ended = new AbortController()
  readonly #offShared: () => void
  readonly #dirty: DirtyPaths
  readonly #batches: Batches
  #isFirstPass = true
  #hasToldOfGone: boolean

  private constructor(
    options: MirrorOptions,
    folder: Folder,
    prefix: string,
    id: string,
    bases: Bases,
    olds: readonly [number, MirrorOld][],
  ) {
    const { replica, me, report, include = [], loosenMs, maxBytes, maxGone, session } = options
    this.#options = options
    this.folder = folder
    this.prefix = prefix
    this.#bases = bases
    this.#terrain = new Terrain({ folder, prefix, replica, id, bases, include, loosenMs })
    if (bases.size === 0 && options.force !== true) this.#terrain.checkHomes()
    this.#gone = new Gone(replica, id, folder, bases, maxGone)
    this.#hasToldOfGone = this.#gone.size > 0
    const merge = new Merge({ doc: replica.doc, me, bases, report })
    this.#overwritten = new Overwritten(replica, id, olds, (...late) => this.#onLate(...late))
    const isBusy = (rel: string) => this.#gone.isBusy(rel)
    this.#carrier = new Carrier(folder, this.#overwritten, isBusy, maxBytes)
    this.#reconciler = new Reconciler(
      {
        ...{ replica, bases, report, merge, carrier: this.#carrier },
        ...{ overwritten: this.#overwritten, terrain: this.#terrain, skipped: this.#skipped },
      },
      {
        onLate: (rel) => this.#dirty.mark(rel, SETTLE_MS),
        onFreed: (rel) => this.#onFreed(rel),
      },
    )
    this.#upstream = new Upstream(session, replica, this.#ended.signal)
    this.#looker = new Looker(this.#terrain, folder, {
      onPath: (rel) => this.#onDisk(rel),
      onLook: (changed) => this.#onLook(changed),
      onDue: () => this.#dirty.mark('', 0),
    })
    this.#dirty = new DirtyPaths((due) =>
      this.#take(due).catch((error) => this.#stop(ClawError.from(error).message)),
    )
    this.#batches = new Batches(
      {
        ...{ folder, prefix, replica, doc: replica.doc, bases, merge, terrain: this.#terrain },
        ...{ gone: this.#gone, dirty: this.#dirty, looker: this.#looker, skipped: this.#skipped },
        ...{ reconciler: this.#reconciler, upstream: this.#upstream, ended: this.#ended.signal },
      },
      {
        isAway: () => this.#isAway(),
        onBatch: (done, total) => {
          if (this.#isFirstPass) options.progress?.(done, total)
        },
      },
    )
    this.#offShared = onShared(replica.doc, this.#reconciler, (...news) => this.#onShared(...news))
    this.ready = this.#start()
    this.ready.catch(() => {}) // told by `stopped`
  }

  /** Throws `no_such_local_file`, `bad_path`, `not_allowed`. */
  static async open(options: MirrorOptions): Promise<Mirror> {
    const folder = new Folder(options.dir, options.without)
    const prefix = checkPrefix(options.prefix)
    const id = createHash('sha256').update(`${folder.path}\0${prefix}`).digest('hex').slice(0, 16)
    const bases = await Bases.load(options.replica, id)
    const [olds, unfinished] = [await options.replica.mirrorOlds(id), await bases.unfinished()]
    const mirror = new Mirror(options, folder, prefix, id, bases, olds)
    for (const [rel, text] of unfinished) mirror.#overwritten.add(rel, text, null)
    return mirror
  }

  /** Mirrored files (count). */
  get files(): number {
    return this.#bases.size
  }

  /** The texts in which disk and document last agreed. */
  get agreed(): Pick<Bases, 'get' | 'agreed'> {
    return this.#bases
  }

  /** Paths that are not mirrored, each with the cause. */
  get skipped(): ReadonlyMap<string, string> {
    return this.#skipped.whys
  }

  /** Notes for the user about the mirror as a whole. */
  get notes(): string[] {
    const dir = this.folder.path
    return [
      ...(this.#gone.size > 0 ? [waitingNews(dir, this.#gone.size)] : []),
      ...(this.#terrain.areRulesHeld ? [rulesNews(dir)] : []),
      ...this.#looker.notes,
    ]
  }

  /** Puts the ignore rules on disk into force, also those that others changed. */
  async acceptRules(): Promise<void> {
    this.#terrain.acceptRules()
    await this.#options.replica.commit()
    await this.#looker.watch()
  }

  /**
   * Ends the wait of deletions: removes the files for all (`isMeant`) or writes them again. Returns
   * the number of files.
   */
  async decideGone(isMeant: boolean): Promise<number> {
    const rels = this.#gone.decide(isMeant)
    if (!isMeant) for (const rel of rels) this.#bases.drop(rel)
    this.#hasToldOfGone = false
    await this.#options.replica.commit()
    this.#again([...rels, ...this.#skipped.whys.keys()])
    return rels.length
  }

  get isStopped(): boolean {
    return this.#ended.signal.aborted
  }

  /** Paths that are still to be compared (count). */
  get pending(): number {
    return this.#dirty.size
  }

  /**
   * Looks at the folder now; resolves when all of it was compared. True: the server has the result on disk; false: it is
   * away, or the mirror has ended.
   */
  async flush(): Promise<boolean> {
    await this.ready
    this.#looker.lookNow()
    await this.idle()
    return !this.isStopped && (await this.#upstream.isConfirmed())
  }

  /** Resolves when no path is left for now. */
  idle(): Promise<void> {
    return this.#dirty.idle()
  }

  /** Finishes the current turn; the next start finds the rest again. */
  async close(): Promise<void> {
    if (!this.isStopped) this.#end()
    await this.#looker.close()
    await this.#dirty.settled()
    this.#overwritten.close()
    this.#gone.keep()
    if (!this.#options.replica.isClosed) await this.#options.replica.commit()
  }

  #end(): void {
    this.#ended.abort()
    this.#offShared()
    this.#looker.end()
    this.#skipped.close()
    this.#dirty.end()
  }

  #stop(why: string): void {
    if (this.isStopped) return
    this.#end()
    this.#options.report({ type: 'stopped', file_key: this.prefix, why })
  }

  async #start(): Promise<FirstPass> {
    try {
      await this.#upstream.synced()
      await this.#looker.watch()
      this.#bases.forgetEmptied((rel) => this.folder.look(rel).kind !== 'absent')
      const total = this.#dirty.size
      this.#dirty.run()
      this.#options.progress?.(0, total)
      await this.idle()
      this.#isFirstPass = false
      if (!this.isStopped) {
        this.#gone.settle()
        await this.#options.replica.commit()
        this.#overwritten.start()
      }
      this.#options.progress?.(total, total)
      const durable = await this.#upstream.isConfirmed()
      return { files: this.files, skipped: this.#skipped.whys.size, durable }
    } catch (error) {
      this.#stop(ClawError.from(error).message)
      throw error
    }
  }

  /** Marks paths after a listing: those `changed`, or all (null). */
  #onLook(changed: readonly string[] | null): void {
    const { files, others, roots } = this.#terrain.found
    this.#carrier.budget.set(files)
    const waiting = this.#gone.look(roots)
    for (const rel of [...this.#skipped.whys.keys()])
      if (this.#terrain.isNowhere(rel)) this.#skipped.delete(rel)
    for (const [rel, why] of others) this.#skipped.add(rel, why)
    const skipped = this.#skipped.whys.keys()
    const isMarked = (rel: string): boolean => !others.has(rel)
    if (changed !== null) {
      this.#again([...changed, ...waiting, ...skipped].filter(isMarked))
      return
    }
    const rels = new Set([...this.#bases.paths(), ...files.keys(), ...skipped])
    for (const { key } of allFiles(this.#options.replica.doc)) {
      const rel = relOf(this.prefix, key)
      if (rel !== null) rels.add(rel)
    }
    this.#terrain.refresh(rels)
    this.#again([...rels].sort().filter(isMarked))
  }

  #again(rels: Iterable<string>): void {
    if (this.isStopped) return
    for (const rel of rels) this.#dirty.mark(rel, 0)
  }

  #onDisk(rel: string): void {
    if (rel === '') return
    this.#dirty.mark(rel, SETTLE_MS)
    this.#again(this.#skipped.near(rel))
  }

  #onSkipped(rel: string, why: string): void {
    this.#options.report({ type: 'skipped', file_key: `${this.prefix}${rel}`, why })
  }

  #onShared(keys: Iterable<string> | null, areNew: boolean): void {
    if (areNew) this.#batches.onNewPaths()
    if (keys === null) this.#looker.lookLater()
    for (const key of keys ?? []) {
      const rel = relOf(this.prefix, key)
      if (rel === null || this.#dirty.has(rel)) continue // looking at the disk includes the document
      this.#dirty.mark(rel, GATHER_MS)
    }
  }

  async #take(marked: readonly string[]): Promise<void> {
    if (await this.#batches.run(marked)) await this.#tellOfGone()
  }

  #isAway(): boolean {
    const isThere = this.folder.isThere()
    if (!isThere) this.#stop(`${this.folder.path} is not there any more`)
    return !isThere
  }

  /** A path became free: files that it blocked can be written. */
  #onFreed(rel: string): void {
    if (this.#skipped.whys.size === 0) return
    this.#batches.onNewPaths()
    this.#again([...this.#skipped.near(rel), ...this.#skipped.passing].filter((one) => one !== rel))
  }

  /** Tells the agent, once, that deletions wait for confirmation. */
  async #tellOfGone(): Promise<void> {
    if (this.#hasToldOfGone || this.#gone.size === 0) return
    this.#hasToldOfGone = true
    const { replica, me } = this.#options
    replica.deliver(me, [noteTo(me, waitingNews(this.folder.path, this.#gone.size), Date.now())])
    await replica.commit()
  }

  /** A tool wrote to the old file of a replaced one. */
  #onLate(rel: string, before: string, text: string): void {
    if (this.#options.replica.isClosed) return
    try {
      this.#reconciler.putLate(`${this.prefix}${rel}`, text, before)
    } catch (error) {
      this.#skipped.add(rel, whyOf(error))
    }
    this.#again([rel])
  }
}
