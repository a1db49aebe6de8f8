import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Replica } from '../../workspace/link/replica.ts'
import type { Bases } from './bases.ts'
import { birthOf, type Folder } from './folder.ts'
import { foldersOf } from './paths.ts'
import { sparsePaths } from './repository.ts'
import { mountsBelow } from './scan.ts'

/** Where not said otherwise: this share of the files (percent) gone at once waits to be confirmed … */
const MAX_GONE = 50
/** … if it is so many at least (count): a small folder is cleared by hand. */
const LEAST_GONE = 20
/** What goes within this is gone at once (ms). */
const AT_ONCE_MS = 10_000
/** A lock of git's this old was left behind (ms). */
const STALE_LOCK_MS = 60_000
/** For so long is known what is there, and what a sparse checkout leaves out (ms). */
const FRESH_MS = 1_000

/** What is kept in the replica. */
type Stored = {
  /** The folder's inode, and when it was made where that is known: another one is not the folder that the bases are of. */
  ino: number
  birth: number | null
  roots: string[]
  /** Paths that are gone here and not removed for others, with why. */
  waiting: [string, string][]
}

/**
 * Whether files that are gone were meant to be deleted. A disk that is not mounted, a folder that was made anew, a sparse
 * checkout and a slip of the hand look like a deletion of everything. So those wait, until somebody says what is meant.
 */
export class Gone {
  readonly #replica: Replica
  readonly #record: string
  readonly #folder: Folder
  readonly #bases: Bases
  readonly #maxGone: number
  readonly #waiting: Map<string, string>
  /** Mounts and repositories in the folder. */
  readonly #roots: Set<string>
  /** Paths whose deletion was confirmed, and is under way. */
  readonly #meant = new Set<string>()
  readonly #removed: number[] = []
  #isNewFolder: boolean
  /** Files that are not there in this turn (count); null: not counted yet. */
  #absent: number | null = null
  #sparse = { at: 0, paths: new Set<string>() }
  #mounts = { at: 0, paths: new Set<string>() }

  constructor(replica: Replica, id: string, folder: Folder, bases: Bases, maxGone = MAX_GONE) {
    this.#replica = replica
    this.#record = `mirror-gone:${id}`
    this.#folder = folder
    this.#bases = bases
    this.#maxGone = maxGone
    const stored = replica.record<Stored>(this.#record)
    this.#isNewFolder = stored !== undefined && !this.#isFolderOf(stored)
    this.#waiting = new Map(stored?.waiting)
    this.#roots = new Set(stored?.roots)
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

  /** `roots`: of the folder as it is now. */
  look(roots: Iterable<string>): void {
    const before = this.#roots.size
    for (const root of roots) this.#roots.add(root)
    if (this.#roots.size !== before) this.#keep()
  }

  /** A turn begins: what is there is looked at anew. */
  begin(): void {
    this.#absent = null
  }

  /** Everything was looked at once: this is the folder that the bases are of. */
  settle(): void {
    this.#isNewFolder = false
    this.#keep()
  }

  #keep(): void {
    const stored: Stored = {
      ...{ ino: this.#folder.is.ino, birth: birthOf(this.#folder.is) },
      ...{ roots: [...this.#roots], waiting: [...this.#waiting] },
    }
    this.#replica.keepRecord(this.#record, stored)
  }

  /** Why a path that is gone here is not removed for others; null: it is. */
  whyKept(rel: string): string | null {
    if (this.#meant.delete(rel)) return null
    const known = this.#waiting.get(rel)
    if (known !== undefined) return known
    if (this.#isSparse(rel)) return 'a sparse checkout leaves it out here'
    const why = this.#whyDoubted(rel)
    if (why === null) {
      this.#removed.push(Date.now())
      return null
    }
    const text = `it is gone here, ${why}: mirror DIR --confirm-deletions removes it for all, --restore writes it again`
    this.#waiting.set(rel, text)
    this.#keep()
    return text
  }

  /** A path is there again, or gone from the document. */
  found(rel: string): void {
    if (this.#waiting.delete(rel)) this.#keep()
  }

  /** Has what waits be removed for all, or not: gives these paths. */
  decide(isMeant: boolean): string[] {
    const rels = [...this.#waiting.keys()]
    this.#waiting.clear()
    for (const root of this.#roots) if (!this.#isRoot(root)) this.#roots.delete(root)
    if (isMeant) for (const rel of rels) this.#meant.add(rel)
    this.#keep()
    return rels
  }

  #whyDoubted(rel: string): string | null {
    if (this.#isNewFolder) return 'in a folder that is not the one it was in'
    const root = foldersOf(rel).find((at) => this.#roots.has(at))
    if (root !== undefined && !this.#isRoot(root))
      return `with all that was mounted, or a repository, at ${root}`
    return this.#areMany() ? `with over ${this.#maxGone} % of the files` : null
  }

  #isRoot(at: string): boolean {
    const now = Date.now()
    if (now - this.#mounts.at > FRESH_MS) {
      this.#mounts = { at: now, paths: mountsBelow(this.#folder.path) }
    }
    return this.#mounts.paths.has(at) || existsSync(join(this.#folder.path, at, '.git'))
  }

  #areMany(): boolean {
    const now = Date.now()
    while (this.#removed[0] !== undefined && now - this.#removed[0] > AT_ONCE_MS)
      this.#removed.shift()
    const all = this.#bases.size + this.#removed.length
    if (all < LEAST_GONE) return false
    const isAbsent = (rel: string): boolean =>
      !existsSync(join(this.#folder.path, rel)) && !this.#sparse.paths.has(rel)
    this.#absent ??= this.#bases.paths().filter(isAbsent).length + this.#removed.length
    const gone = this.#absent
    return gone >= LEAST_GONE && gone > (all * this.#maxGone) / 100
  }

  /** Whether git is changing the work tree: then what is gone may be on its way. */
  get isGitBusy(): boolean {
    return ['', ...this.#roots].some((top) => {
      const lock = join(this.#folder.path, top, '.git/index.lock')
      const stats = statSync(lock, { throwIfNoEntry: false })
      return stats !== undefined && Date.now() - stats.mtimeMs < STALE_LOCK_MS
    })
  }

  #isSparse(rel: string): boolean {
    const now = Date.now()
    if (now - this.#sparse.at > FRESH_MS) {
      const tops = ['', ...this.#roots]
      const paths = tops.flatMap((top) =>
        [...sparsePaths(join(this.#folder.path, top))].map((path) =>
          top === '' ? path : `${top}/${path}`,
        ),
      )
      this.#sparse = { at: now, paths: new Set(paths) }
    }
    return this.#sparse.paths.has(rel)
  }
}
