import { join } from 'node:path'
import type { Folder } from './disk/folder.ts'
import { mountsBelow } from './disk/roots.ts'
import { isSilent, type Watch, watchFolder } from './disk/watch.ts'
import { isRuleFile, type Terrain } from './terrain.ts'

/**
 * After a burst of this many events (count) everything is listed once the burst is over (ms): the
 * watcher may have lost some.
 */
const BURST = 500
const RESCAN_MS = 1_000
/** Time between two checks of the mounts (ms). */
const TICK_MS = 3_000
/**
 * Time between two listings of the whole folder, if the system reports changes and if it does not
 * (ms).
 */
const LOOK_MS = 60_000
const BLIND_LOOK_MS = TICK_MS
/** After a listing the mirror rests for this many times its duration. */
const REST = 20

export interface LookerEvents {
  /** The path may have changed. */
  onPath: (rel: string) => void
  /** The folder was listed anew: paths that may have changed; null: all. */
  onLook: (changed: readonly string[] | null) => void
  /** The owner must call `refresh`. */
  onDue: () => void
}

/**
 * Finds changes in a folder: by events of the system, and by listing the folder from time to time.
 */
export class Looker {
  readonly #terrain: Terrain
  readonly #folder: Folder
  readonly #events: LookerEvents
  readonly #system: { watch: typeof watchFolder; isSilent: typeof isSilent }
  #watch: Watch | null = null
  #rescan: NodeJS.Timeout | null = null
  #loosening: NodeJS.Timeout | null = null
  #tick: NodeJS.Timeout | null = null
  #mounts = ''
  #lastLook = 0
  #tookMs = 0
  /** Events since the last full listing (count). */
  #told = 0
  #isEnded = false
  #isDue = false
  /** The cause why some changes are not reported; null if all are. */
  #problem: string | null = null

  /** `system`: replaces the watcher and its test for unreported changes. */
  constructor(
    terrain: Terrain,
    folder: Folder,
    events: LookerEvents,
    system = { watch: watchFolder, isSilent },
  ) {
    this.#terrain = terrain
    this.#folder = folder
    this.#events = events
    this.#system = system
  }

  get notes(): string[] {
    if (this.#problem === null) return []
    return [
      `not everything is watched (${this.#problem}): it is looked at every ${BLIND_LOOK_MS / 1000} s`,
    ]
  }

  /** Starts the watcher anew and lists everything, by the current rules. */
  async watch(): Promise<void> {
    this.#isDue = false
    await this.#watch?.close()
    this.#mounts = this.#mountsNow
    const { path } = this.#folder
    const tops = [path, ...[...mountsBelow(path).keys()].map((at) => join(path, at))]
    const silent = tops.find((top) => this.#system.isSilent(top))
    this.#problem = silent === undefined ? null : `the file system at ${silent} tells of no changes`
    this.#terrain.look()
    this.#watch = await this.#system.watch(
      this.#folder.path,
      (rel, isFolder) => this.#terrain.isOut(rel, isFolder),
      (rel) => this.#onPath(rel),
      (error) => this.#onError(error as NodeJS.ErrnoException),
    )
    if (this.#isEnded) return this.#watch.close()
    this.#look(true)
    this.#tick ??= setInterval(() => this.#onTick(), TICK_MS)
  }

  /** Starts the watcher anew if rules or mounts have changed. */
  async refresh(): Promise<void> {
    if (this.#isDue) await this.watch()
    if (this.#told >= BURST) this.lookLater()
  }

  /** Lists everything now, and tells which paths changed since the last listing. */
  lookNow(): void {
    this.#look(false)
  }

  /** Lists everything once the folder is quiet. */
  lookLater(): void {
    this.#told = 0
    if (this.#rescan !== null) clearTimeout(this.#rescan)
    this.#rescan = setTimeout(() => this.#look(true), RESCAN_MS)
  }

  end(): void {
    this.#isEnded = true
    if (this.#tick !== null) clearInterval(this.#tick)
    for (const timer of [this.#rescan, this.#loosening]) if (timer !== null) clearTimeout(timer)
  }

  async close(): Promise<void> {
    this.end()
    await this.#watch?.close()
  }

  get #mountsNow(): string {
    return JSON.stringify([...mountsBelow(this.#folder.path)])
  }

  /** Rules have changed in a file that is not watched, or before the event arrived. */
  onRules(): void {
    this.#isDue = true
  }

  #onError(error: NodeJS.ErrnoException): void {
    const limits = error.code === 'ENOSPC' || error.code === 'EMFILE'
    this.#problem = limits
      ? `${error.code}: raise fs.inotify.max_user_${error.code === 'ENOSPC' ? 'watches' : 'instances'}`
      : error.message
  }

  #onPath(rel: string): void {
    this.#told++
    if (isRuleFile(rel)) this.#isDue = true
    this.#events.onPath(rel)
  }

  #look(isAll: boolean): void {
    if (this.#isEnded || !this.#folder.isThere()) return
    const began = performance.now()
    const before = this.#terrain.found
    const again = this.#terrain.look()
    this.#events.onLook(isAll ? null : this.#terrain.changedSince(before))
    this.#lastLook = performance.now()
    this.#tookMs = this.#lastLook - began
    if (this.#loosening !== null) clearTimeout(this.#loosening)
    this.#loosening = again === null ? null : setTimeout(() => this.#watchAnew(), again)
  }

  #watchAnew(): void {
    this.#isDue = true
    this.#events.onDue()
  }

  #onTick(): void {
    const every = this.#problem === null ? LOOK_MS : BLIND_LOOK_MS
    const rest = performance.now() - this.#lastLook
    if (!this.#folder.isThere())
      this.#events.onDue() // it stops
    else if (this.#mountsNow !== this.#mounts) this.#watchAnew()
    else if (rest >= every && rest >= REST * this.#tookMs) this.#look(false)
  }
}
