import {
  chownSync,
  closeSync,
  fchmodSync,
  fchownSync,
  fstatSync,
  linkSync,
  lstatSync,
  mkdirSync,
  realpathSync,
  renameSync,
  rmdirSync,
  rmSync,
  type Stats,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { open } from 'node:fs/promises'
import { isAbsolute, join, relative, sep } from 'node:path'
import { writeAtomic } from '../../../lib/disk/atomic-write.ts'
import { ClawError } from '../../../protocol/errors.ts'
import { BARE, isBare } from '../rules/bare.ts'
import { folderOf, lastPart, tempName } from '../rules/paths.ts'
import { openText, type Seen } from './text-file.ts'
import { type HeldFolder, holdFolder, Obstacle, whyOf } from './way.ts'

/** The result of a change on disk. */
export type FolderChange =
  /** Another process was faster; nothing was changed. */
  | { done: false }
  /**
   * `old`: an open file descriptor of the replaced file, which a tool may still write to; null if
   * there was none.
   */
  | { done: true; old: number | null }

const NO_FOLDER = 'a part of its path is not a folder here'

/**
 * A folder on disk, read and changed by paths below it (parts separated by /). Nothing outside is
 * ever touched: no part of a path may be a symbolic link. Each folder is opened from its parent, so
 * that replacing one by a link in the meantime has no effect.
 */
export class Folder {
  /** The real path. */
  readonly path: string
  /** True if names that differ only in case are the same file here. */
  readonly foldsCase: boolean
  readonly is: Stats
  /** Path below this one of a folder that is always left out. */
  readonly without: string | null

  /** `without`: a folder to leave out, if it is below this. Throws `no_such_local_file`. */
  constructor(path: string, without: string | null = null) {
    try {
      this.path = realpathSync(path)
      this.without = without === null ? null : below(this.path, realpathSync(without))
      if (this.without === '') throw new Error('ClawLink keeps its own files there')
      if (!lstatSync(this.path).isDirectory()) throw new Error('it is not a folder')
      if (isBare((name) => join(this.path, name))) throw new Error('it is a bare git repository')
      this.foldsCase = foldsCase(this.path)
      this.is = lstatSync(this.path) // it has just been changed, so its birth is told from that
    } catch (cause) {
      const error = cause as NodeJS.ErrnoException
      throw new ClawError(
        'no_such_local_file',
        `cannot mirror ${path}: ${error.code === undefined ? error.message : whyOf(error)}`,
        'name a folder that is there and that you may write to',
      )
    }
  }

  /** True if the folder is still the same one: not removed, mounted over or made anew. */
  isThere(): boolean {
    try {
      return isSame(lstatSync(this.path), this.is)
    } catch {
      return false
    }
  }

  /**
   * Opens a folder below this one; null if it does not exist. Throws `Obstacle` and errors of the
   * file system.
   */
  enter(folder: string, make = false): HeldFolder | null {
    let held = holdFolder(this.path)
    try {
      if (held === null || !isSame(held.is, this.is)) throw new Obstacle('its folder was replaced')
      for (const part of folder === '' ? [] : folder.split('/')) {
        if (isBare(held.at, make ? part : '')) throw new Obstacle(BARE)
        let inner = holdFolder(held.at(part))
        if (inner === null && make) {
          makeFolder(held, part)
          inner = holdFolder(held.at(part))
        }
        held.close()
        held = inner
        if (held === null) return null
      }
      if (isBare(held.at)) throw new Obstacle(BARE)
      const entered = held
      held = null
      return entered
    } finally {
      held?.close()
    }
  }

  /** Reads a path. Never throws: a path that cannot be read is `other`. */
  look(rel: string): Seen {
    const [seen, fd] = this.#open(rel)
    if (fd !== null) closeSync(fd)
    return seen
  }

  /** Reads a path; a text comes with an open descriptor. */
  #open(rel: string): [Seen, number | null] {
    let held: HeldFolder | null = null
    try {
      held = this.enter(folderOf(rel))
      return held === null ? [{ kind: 'absent' }, null] : openText(held.at(lastPart(rel)))
    } catch (error) {
      return [{ kind: 'other', why: whyOf(error) }, null]
    } finally {
      held?.close()
    }
  }

  /**
   * Replaces `expected` (null: no file) by `text`, through a temporary file beside it: a reader
   * sees the old or the new text as a whole, after `flush` even after a power failure. `isBusy`:
   * returns true while nothing may be changed. Throws `Obstacle` and errors of the file system.
   */
  async replace(
    rel: string,
    text: string,
    expected: string | null,
    isBusy: (rel: string) => boolean = () => false,
  ): Promise<FolderChange> {
    const held = this.enter(folderOf(rel), true)
    if (held === null) throw new Obstacle(NO_FOLDER)
    const path = held.at(lastPart(rel))
    const temp = held.at(tempName())
    try {
      const before = lstatSync(path, { throwIfNoEntry: false })
      if (before?.isDirectory()) throw new Obstacle('a folder is in its place here')
      this.#checkPlace(rel, held)
      let old: number | null = null
      const isDone = await writeAtomic(path, text, {
        temp,
        mode: before === undefined ? 0o666 : 0o600,
        prepare: (fd) => likeBefore(fd, before, held.is),
        syncsFolder: false,
        // No await in here, and the text is compared last: a file that somebody renames into the
        // place between comparison and rename would be lost.
        place: () => {
          held.check()
          this.#checkPlace(rel, held)
          if (isBusy(rel)) return false
          const [seen, fd] = openText(path)
          const isPlaced = isExpected(seen, expected) && put(temp, path, expected === null)
          if (isPlaced) old = fd
          else if (fd !== null) closeSync(fd)
          return isPlaced
        },
      })
      return isDone ? { done: true, old } : { done: false }
    } finally {
      held.close()
    }
  }

  /** Throws if the open folder is not the one at `rel` any more, or the file may not be there. */
  #checkPlace(rel: string, held: HeldFolder): void {
    if (isBare(held.at, lastPart(rel))) throw new Obstacle(BARE)
    const now = this.enter(folderOf(rel))
    try {
      if (now === null || !isSame(now.is, held.is)) throw new Obstacle(NO_FOLDER)
    } finally {
      now?.close()
    }
  }

  /** Removes a file that still has the text `expected`, and the folders that this leaves empty. */
  remove(rel: string, expected: string): FolderChange {
    const held = this.enter(folderOf(rel))
    if (held === null) return { done: false }
    try {
      const [seen, old] = openText(held.at(lastPart(rel)))
      if (!isExpected(seen, expected)) {
        if (old !== null) closeSync(old)
        return { done: false }
      }
      held.check()
      unlinkSync(held.at(lastPart(rel)))
      this.#removeEmpty(folderOf(rel))
      return { done: true, old }
    } finally {
      held.close()
    }
  }

  #removeEmpty(folder: string): void {
    for (let at = folder; at !== ''; at = folderOf(at)) {
      let held: HeldFolder | null = null
      try {
        held = this.enter(folderOf(at))
        if (held === null) return
        rmdirSync(held.at(lastPart(at)))
      } catch {
        return // something else is in it
      } finally {
        held?.close()
      }
    }
  }

  /** Makes the entries in the folders of these paths survive a power failure. */
  async flush(rels: Iterable<string>): Promise<void> {
    for (const folder of new Set([...rels].map(folderOf))) {
      try {
        const held = this.enter(folder)
        if (held === null) continue
        const dir = await open(held.path, 'r').finally(held.close)
        await dir.sync().finally(() => dir.close())
      } catch {
        // The folder is gone, or this system cannot sync folders.
      }
    }
  }
}

/**
 * Birth time of a folder (ms since the epoch); null if the system reports its last change instead.
 */
export const birthOf = ({ birthtimeMs, ctimeMs }: Stats): number | null =>
  birthtimeMs === 0 || birthtimeMs === ctimeMs ? null : birthtimeMs

/**
 * True if both results of `stat` are of the same folder; a new folder may reuse the inode of the
 * old one.
 */
const isSame = (a: Stats, b: Stats): boolean => {
  const [one, other] = [birthOf(a), birthOf(b)]
  return a.ino === b.ino && a.dev === b.dev && (one === null || other === null || one === other)
}

/** The path of `inner` below `outer`, parts separated by /; null if it is not below. */
const below = (outer: string, inner: string): string | null => {
  const rel = relative(outer, inner).split(sep).join('/')
  return rel === '..' || rel.startsWith('../') || isAbsolute(rel) ? null : rel
}

const isExpected = (seen: Seen, expected: string | null): boolean =>
  expected === null ? seen.kind === 'absent' : seen.kind === 'text' && seen.text === expected

/** True if this process may change the owner of files. */
const isRoot = process.geteuid?.() === 0

const makeFolder = (held: HeldFolder, name: string): void => {
  try {
    mkdirSync(held.at(name))
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') throw new Obstacle(NO_FOLDER)
    throw error
  }
  if (!isRoot) return
  const inner = holdFolder(held.at(name))
  if (inner === null) return
  try {
    chownSync(inner.at('.'), held.is.uid, held.is.gid)
  } finally {
    inner.close()
  }
}

/** Gives a new file the mode of the old one, and its owner or that of the folder if possible. */
const likeBefore = (fd: number, before: Stats | undefined, folder: Stats): void => {
  const owner = before ?? (isRoot ? folder : undefined)
  const own = fstatSync(fd)
  if (owner !== undefined && (own.uid !== owner.uid || own.gid !== owner.gid)) {
    try {
      fchownSync(fd, owner.uid, owner.gid)
    } catch {
      // Only root gives files away.
    }
  }
  if (before !== undefined) fchmodSync(fd, before.mode & 0o7777)
}

/** Renames a file; returns false if it is to be `isNew` and the new name is taken. */
const put = (temp: string, path: string, isNew: boolean): boolean => {
  try {
    if (isNew) {
      linkSync(temp, path)
      return true
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    // There are no hard links here.
  }
  renameSync(temp, path)
  return true
}

const foldsCase = (folder: string): boolean => {
  const name = tempName()
  const path = join(folder, name)
  writeFileSync(path, '', { flag: 'wx' })
  try {
    const other = join(folder, name.replace('clawlink', 'CLAWLINK'))
    return lstatSync(other, { throwIfNoEntry: false }) !== undefined
  } finally {
    rmSync(path, { force: true })
  }
}
