import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Replica } from '../../client/replica/replica.ts'
import type { Bases } from './bases.ts'
import { birthOf, type Folder } from './disk/folder.ts'
import { mountsBelow, REPOSITORY, rootAt } from './disk/roots.ts'
import { foldersOf } from './rules/paths.ts'
import { isGitBusy, sparsePaths } from './rules/repository.ts'
import { Waiting } from './waiting.ts'

/** Unless told otherwise, deletions wait when this share of the files (percent) is gone at once … */
const MAX_GONE = 50
/** … if it is this many at least (count): a small folder is cleared by hand. */
const LEAST_GONE = 20
/** Files that go within this are gone at once (ms). */
const AT_ONCE_MS = 10_000
/** Mounts are known for this long (ms): less than a missing file is waited for, so they are never older than its absence. */
const FRESH_MS = 200

const SPARSE = 'a sparse checkout leaves it out here'
/** Nothing tells when this is over. */
export const AWAY = 'its folder has other files now than were mirrored, which wait'

/** What is kept in the replica. */
type Stored = {
  /** The folder's inode, and when it was made where that is known: another one is not the folder that the bases are of. */
  ino: number
  birth: number | null
  /** Mounts and repositories, each with what was there. */
  roots: [string, string][]
  /** Paths that are gone here and not removed for others, with why. */
  waiting: [string, string][]
}

/**
 * Decides whether files that are gone were meant to be deleted. A disk that is not mounted, a folder that was made anew, a
 * sparse checkout and a slip of the hand look like a deletion of everything. Such deletions wait until somebody says what
 * was meant.
 */
export class Gone {
  readonly #replica: Replica
  readonly #record: string
  readonly #folder: Folder
  readonly #bases: Bases
  readonly #maxGone: number
  readonly #waiting: Waiting
  /**
   * What was at a folder when it was looked at last ('': neither a mount nor a repository any more). Until `goes` (ms since
   * the epoch) files may still go with it: a repository is removed file by file.
   */
  readonly #roots: Map<string, { id: string; goes: number }>
  /** Paths whose deletion was confirmed, and is under way. */
  readonly #meant = new Set<string>()
  /** When files were removed for others, or began to wait as too many were gone (ms since the epoch). */
  readonly #went: number[] = []
  #isNewFolder: boolean
  /** Files that are not there in this turn (count); null: not counted yet. */
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
    this.#waiting = new Waiting(stored?.waiting ?? [])
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
   * The folder was listed, with these mounts and repositories. What is not there where one came, went or was replaced
   * waits from now on: these paths are given.
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

  /** A turn begins: files are counted anew. */
  begin(): void {
    this.#absent = null
  }

  /** Everything was looked at once: this is the folder that the bases are of. */
  settle(): void {
    this.#isNewFolder = false
    this.#isKept = false
    this.keep()
  }

  /** Stages what is to be known after a restart; whether that is news. */
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

  /** Why a path that is gone here is not removed for others; null: it is. */
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
   * Why a path that is not here may be here all the same, where it is not seen: others' new file would be hidden or lost,
   * and one that others deleted is to be deleted once it is seen again. Null: it is not here.
   */
  whyAway(rel: string): string | null {
    if (this.#isSparse(rel)) return SPARSE
    const isAway = foldersOf(rel).some(
      (at) => this.#isDisturbed(at) || (this.#roots.has(at) && this.#waiting.hasBelow(at)),
    )
    return isAway ? AWAY : null
  }

  /** A path is there again, or is not mirrored any more. */
  found(rel: string): void {
    if (this.#waiting.delete(rel)) this.#isKept = false
  }

  /** Has what waits be removed for all, or not: gives these paths. */
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

  /** Whether something else is at a folder than when it was looked at last, or came to be there a moment ago. */
  #isDisturbed(at: string): boolean {
    const known = this.#roots.get(at)
    if (isDoubtful(known?.id ?? '', rootAt(this.#folder.path, at, this.#mountsNow()))) return true
    if (known?.id !== '') return false
    return Date.now() < known.goes || this.#waiting.hasBelow(at)
  }

  /**
   * Whether a mount came, went or was replaced above a path since the folder was listed. Reads the mounts anew: a file that
   * is written below a mount that nobody knows of would count as deleted once the mount goes.
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

  /** Whether nothing may be written at a path now: git changes its work tree, or its mounts are others than were listed. */
  isBusy(rel: string): boolean {
    return this.isGitBusy(rel) || this.isMountChanged(rel)
  }

  /** Whether git is changing the work tree that a path is in: a file that is gone may be on its way, and one that is written be lost. */
  isGitBusy(rel: string): boolean {
    return this.#topsOf(rel).some((top) => isGitBusy(join(this.#folder.path, top)))
  }

  /** The mirror's own folder, and the repositories in it, that a path is below. */
  #topsOf(rel: string): string[] {
    return ['', ...foldersOf(rel).filter((at) => this.#roots.get(at)?.id === REPOSITORY)]
  }

  #isSparse(rel: string): boolean {
    return this.#topsOf(rel).some((top) =>
      sparsePaths(join(this.#folder.path, top)).has(top === '' ? rel : rel.slice(top.length + 1)),
    )
  }
}

/** Whether files may be gone because something else is at a folder now. A repository that is made where files are takes none away. */
const isDoubtful = (before: string, now: string): boolean =>
  before !== now && !(before === '' && now === REPOSITORY)

const whyOfRoot = (at: string): string => `with all that was mounted, or a repository, at ${at}`
