import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Replica } from '../../client/replica/replica.ts'
import type { Bases } from './bases.ts'
import { birthOf, type Folder } from './disk/folder.ts'
import { mountsBelow, REPOSITORY, rootAt } from './disk/roots.ts'
import { foldersOf } from './rules/paths.ts'
import { isGitBusy, sparsePaths } from './rules/repository.ts'
import { WaitingDeletions } from './waiting.ts'

/** Default share of the files (percent) whose deletion at once must be confirmed … */
const MAX_GONE = 50
/** … if it is at least this number of files (count): small folders are cleared by hand. */
const LEAST_GONE = 20
/** Files deleted within this time count as deleted at once (ms). */
const AT_ONCE_MS = 10_000
/**
 * Mounts are cached for this time (ms). It is shorter than the wait for a missing file, so that the
 * cache is never older than the absence.
 */
const FRESH_MS = 200

const SPARSE = 'a sparse checkout leaves it out here'
/** No event reports the end of this state. */
export const AWAY = 'its folder has other files now than were mirrored, which wait'

/** State of `Gone` in the replica. */
type Stored = {
  /**
   * The folder's inode and, if known, its birth time: the bases do not belong to another folder.
   */
  ino: number
  birth: number | null
  /** Mounts and repositories, each with its id. */
  roots: [string, string][]
  /** Paths that are gone here and not removed for others, each with the cause. */
  waiting: [string, string][]
}

/**
 * Decides if files that are gone were meant to be deleted. An unmounted disk, a folder made anew, a
 * sparse checkout or a user's mistake looks like a deletion of everything. Such deletions wait
 * until the user confirms or restores them.
 */
export class Gone {
  readonly #replica: Replica
  readonly #record: string
  readonly #folder: Folder
  readonly #bases: Bases
  readonly #maxGone: number
  readonly #waiting: WaitingDeletions
  /**
   * Mounts and repositories at the last listing ('': neither any more). Until `goes` (ms since the
   * epoch) files may still disappear with it, as a repository is removed file by file.
   */
  readonly #roots: Map<string, { id: string; goes: number }>
  /** Paths whose deletion is confirmed and not done yet. */
  readonly #meant = new Set<string>()
  /**
   * Times at which files were removed for others, or began to wait because too many were gone (ms
   * since the epoch).
   */
  readonly #went: number[] = []
  #isNewFolder: boolean
  /** Files missing in this turn (count); null: not counted yet. */
  #absent: number | null = null
  #mounts = { at: 0, now: new Map<string, string>() }
  #isKept = true

  constructor(replica: Replica, id: string, folder: Folder, bases: Bases, maxGone = MAX_GONE) {
    this.#replica = replica
    this.#record = `mirror-gone:${id}`
    this.#folder = folder
    this.#bases = bases
    this.#maxGone = maxGone
    const stored = replica.record<Stored>(this.#record)
    this.#isNewFolder = stored !== undefined && !this.#isFolderOf(stored)
    this.#waiting = new WaitingDeletions(stored?.waiting ?? [])
    const roots = (stored?.roots ?? []).filter((one) => Array.isArray(one))
    this.#roots = new Map(roots.map(([at, id]) => [at, { id, goes: 0 }]))
  }

  #isFolderOf({ ino, birth }: Stored): boolean {
    const { is } = this.#folder
    const now = birthOf(is)
    return ino === is.ino && (birth === null || now === null || birth === now)
  }

  /** Paths that wait to be confirmed or restored (count). */
  get size(): number {
    return this.#waiting.size
  }

  /**
   * Takes the mounts and repositories of a new listing. Where one appeared, disappeared or was
   * replaced, missing files wait from now on. Returns their paths.
   */
  look(roots: ReadonlyMap<string, string>): string[] {
    const waiting: string[] = []
    for (const at of new Set([...this.#roots.keys(), ...roots.keys()])) {
      const [id, known] = [roots.get(at) ?? '', this.#roots.get(at)?.id]
      if (id === known) continue
      if (isDoubtful(known ?? '', id)) waiting.push(...this.#waitBelow(at))
      const goes = known === REPOSITORY && id === '' ? Date.now() + AT_ONCE_MS : 0
      this.#roots.set(at, { id, goes })
      this.#isKept = false
    }
    for (const [at, { id, goes }] of this.#roots) {
      if (id !== '' || Date.now() < goes || this.#waiting.hasBelow(at)) continue
      this.#roots.delete(at)
      this.#isKept = false
    }
    return waiting
  }

  #waitBelow(at: string): string[] {
    const rels = this.#bases.paths().filter((rel) => rel.startsWith(`${at}/`))
    const absent = rels.filter((rel) => this.#isAbsent(rel) && !this.#waiting.has(rel))
    for (const rel of absent) this.#wait(rel, whyOfRoot(at))
    return absent
  }

  #wait(rel: string, why: string): string {
    const text = `it is gone here, ${why}: mirror DIR --confirm-deletions removes it for all, --restore writes it again`
    this.#waiting.set(rel, text)
    this.#isKept = false
    return text
  }

  /** Begins a turn: missing files are counted anew. */
  begin(): void {
    this.#absent = null
  }

  /** Ends the first pass: from now on the bases belong to this folder. */
  settle(): void {
    this.#isNewFolder = false
    this.#isKept = false
    this.keep()
  }

  /** Stages the state for a restart. Returns true if it has changed. */
  keep(): boolean {
    if (this.#isKept) return false
    this.#isKept = true
    const stored: Stored = {
      ...{ ino: this.#folder.is.ino, birth: birthOf(this.#folder.is) },
      roots: [...this.#roots].map(([at, { id }]) => [at, id]),
      waiting: this.#waiting.entries(),
    }
    this.#replica.keepRecord(this.#record, stored)
    return true
  }

  /** The cause why a path that is gone here is not removed for others; null if it is removed. */
  whyKept(rel: string): string | null {
    if (this.#meant.delete(rel)) return null
    const known = this.#waiting.get(rel)
    if (known !== undefined) return known
    if (this.#isSparse(rel)) return SPARSE
    const why = this.#whyDoubted(rel)
    if (why === null) this.#went.push(Date.now())
    return why === null ? null : this.#wait(rel, why)
  }

  /**
   * The cause why a missing path may exist all the same, out of sight: a new file of others would
   * be hidden or lost there, and a deletion by others must happen once the path is visible again.
   * Null if it does not exist.
   */
  whyAway(rel: string): string | null {
    if (this.#isSparse(rel)) return SPARSE
    const isAway = foldersOf(rel).some(
      (at) => this.#isDisturbed(at) || (this.#roots.has(at) && this.#waiting.hasBelow(at)),
    )
    return isAway ? AWAY : null
  }

  /** The path exists again, or is not mirrored any more. */
  found(rel: string): void {
    if (this.#waiting.delete(rel)) this.#isKept = false
  }

  /**
   * Ends the wait of all deletions; `isMeant`: the files are removed for all. Returns the paths.
   */
  decide(isMeant: boolean): string[] {
    const rels = this.#waiting.clear()
    const now = this.#mountsNow()
    for (const [at, { id }] of this.#roots) {
      if (rootAt(this.#folder.path, at, now) !== id || id === '') this.#roots.delete(at)
    }
    if (isMeant) for (const rel of rels) this.#meant.add(rel)
    this.#isKept = false
    this.keep()
    return rels
  }

  #whyDoubted(rel: string): string | null {
    if (this.#isNewFolder) return 'in a folder that is not the one it was in'
    const root = foldersOf(rel).find((at) => this.#isDisturbed(at))
    if (root !== undefined) return whyOfRoot(root)
    if (!this.#areMany()) return null
    this.#went.push(Date.now())
    return `with over ${this.#maxGone} % of the files`
  }

  /**
   * True if a folder has another mount or repository than at its last listing, or got one a moment
   * ago.
   */
  #isDisturbed(at: string): boolean {
    const known = this.#roots.get(at)
    if (isDoubtful(known?.id ?? '', rootAt(this.#folder.path, at, this.#mountsNow()))) return true
    if (known?.id !== '') return false
    return Date.now() < known.goes || this.#waiting.hasBelow(at)
  }

  /**
   * True if a mount appeared, disappeared or was replaced above a path since the last listing.
   * Reads the mounts anew: a file written below an unknown mount would count as deleted after the
   * unmount.
   */
  isMountChanged(rel: string): boolean {
    const now = this.#mountsNow(0)
    return foldersOf(rel).some((at) => {
      const known = this.#roots.get(at)?.id ?? ''
      return (now.get(at) ?? '') !== (known === REPOSITORY ? '' : known)
    })
  }

  #mountsNow(maxAgeMs = FRESH_MS): ReadonlyMap<string, string> {
    const now = Date.now()
    if (maxAgeMs === 0 || now - this.#mounts.at > maxAgeMs) {
      this.#mounts = { at: now, now: mountsBelow(this.#folder.path) }
    }
    return this.#mounts.now
  }

  #isAbsent(rel: string): boolean {
    return !existsSync(join(this.#folder.path, rel)) && !this.#isSparse(rel)
  }

  #areMany(): boolean {
    const now = Date.now()
    while (this.#went[0] !== undefined && now - this.#went[0] > AT_ONCE_MS) this.#went.shift()
    const all = this.#bases.size - this.#waiting.size + this.#went.length
    if (all < LEAST_GONE) return false
    const disturbed = new Map<string, boolean>()
    const isHidden = (at: string): boolean => {
      const known = disturbed.get(at) ?? this.#isDisturbed(at)
      disturbed.set(at, known)
      return known
    }
    const isGone = (rel: string): boolean =>
      !this.#waiting.has(rel) && this.#isAbsent(rel) && !foldersOf(rel).some((at) => isHidden(at))
    this.#absent ??= this.#bases.paths().filter(isGone).length + this.#went.length
    const gone = this.#absent
    return gone >= LEAST_GONE && gone > (all * this.#maxGone) / 100
  }

  /**
   * True if nothing may be written at a path now: git changes its work tree, or its mounts have
   * changed since the last listing.
   */
  isBusy(rel: string): boolean {
    return this.isGitBusy(rel) || this.isMountChanged(rel)
  }

  /**
   * True if git is changing the path's work tree: a missing file may come back, and a written one
   * may be lost.
   */
  isGitBusy(rel: string): boolean {
    return this.#topsOf(rel).some((top) => isGitBusy(join(this.#folder.path, top)))
  }

  /** The mirror's own folder, and each repository in it that contains a path. */
  #topsOf(rel: string): string[] {
    return ['', ...foldersOf(rel).filter((at) => this.#roots.get(at)?.id === REPOSITORY)]
  }

  #isSparse(rel: string): boolean {
    return this.#topsOf(rel).some((top) =>
      sparsePaths(join(this.#folder.path, top)).has(top === '' ? rel : rel.slice(top.length + 1)),
    )
  }
}

/**
 * True if files may be gone because a mount or repository at a folder has changed. A repository
 * created around existing files removes none.
 */
const isDoubtful = (before: string, now: string): boolean =>
  before !== now && !(before === '' && now === REPOSITORY)

const whyOfRoot = (at: string): string => `with all that was mounted, or a repository, at ${at}`
