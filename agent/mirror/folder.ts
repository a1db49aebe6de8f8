import {
  closeSync,
  constants,
  fstatSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  realpathSync,
  renameSync,
  rmdirSync,
  rmSync,
  type Stats,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { isAbsolute, join, relative, sep } from 'node:path'
import { ClawError } from '../../workspace/errors.ts'
import { MAX_FILE_BYTES } from '../../workspace/limits.ts'
import { type Ignored, ignoredBy, RULE_FILES } from './ignored.ts'
import { isTemp, tempName } from './paths.ts'

/** A temporary file this old was left behind by a mirror that was killed (ms). */
const STALE_TEMP_MS = 60_000

/** What is on disk under a path. */
export type Seen =
  | { kind: 'absent' }
  /** `at`: when it was written last, milliseconds since the epoch. */
  | { kind: 'text'; text: string; at: number }
  /** Something that is not mirrored. */
  | { kind: 'other'; why: string }
  /** It was being written while it was read. */
  | { kind: 'moving' }

/** What came of a change on disk. */
export type Change =
  /** Somebody was faster: nothing was changed. */
  | { done: false }
  /** `old`: an open file descriptor of what was there, to whose owner it may still be written; null: nothing was. */
  | { done: true; old: number | null }

export interface Scan {
  /** Paths of what may be mirrored, in order. */
  files: string[]
  /** Paths of what is not, and why. */
  others: Map<string, string>
  ignored: Ignored
}

const READ = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0)

/**
 * A folder on disk, read and changed by paths below it (with / between their parts). Nothing outside is ever touched:
 * no part of a path may be a symbolic link.
 */
export class Folder {
  /** The real path. */
  readonly path: string
  /** Whether names that differ in case are the same here. */
  readonly foldsCase: boolean
  readonly #is: Stats
  /** The path below this of a folder that is never seen. */
  readonly #without: string | null

  /** `without`: a folder to leave out, if it is below this. Throws `no_such_local_file`. */
  constructor(path: string, without: string | null = null) {
    try {
      this.path = realpathSync(path)
      this.#without = without === null ? null : below(this.path, realpathSync(without))
      if (this.#without === '') throw new Error('ClawLink keeps its own files there')
      this.#is = lstatSync(this.path)
      if (!this.#is.isDirectory()) throw new Error('it is no folder')
      this.foldsCase = foldsCase(this.path)
    } catch (cause) {
      const error = cause as NodeJS.ErrnoException
      throw new ClawError(
        'no_such_local_file',
        `cannot mirror ${path}: ${error.code ?? error.message}`,
        'name a folder that is there and that you may write to',
      )
    }
  }

  /** Whether the folder is still the one it was: not removed, nor another one mounted over it. */
  isThere(): boolean {
    const now = lstatSync(this.path, { throwIfNoEntry: false })
    return now !== undefined && now.ino === this.#is.ino && now.dev === this.#is.dev
  }

  /** Everything below, but what the rules that are found on the way ignore. */
  scan(): Scan {
    const rules = new Map<string, string[]>()
    let ignored = ignoredBy(rules, this.foldsCase, this.#without)
    const files: string[] = []
    const others = new Map<string, string>()
    const folders = ['']
    for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
      const entries = this.#entries(folder)
      const inside = (name: string) => (folder === '' ? name : `${folder}/${name}`)
      const texts = RULE_FILES.filter((name) => entries.some((entry) => entry.name === name))
        .map((name) => this.look(inside(name)))
        .flatMap((seen) => (seen.kind === 'text' ? [seen.text] : []))
      if (texts.length > 0) {
        rules.set(folder, texts)
        ignored = ignoredBy(rules, this.foldsCase, this.#without)
      }
      for (const entry of entries) {
        const rel = inside(entry.name)
        if (isTemp(rel)) this.#sweep(rel)
        if (ignored(rel, entry.isDirectory())) continue
        if (entry.isDirectory()) folders.push(rel)
        else if (entry.isFile()) files.push(rel)
        else others.set(rel, entry.isSymbolicLink() ? 'it is a symbolic link' : 'it is no file')
      }
    }
    return { files: files.sort(), others, ignored }
  }

  #entries(folder: string) {
    try {
      return readdirSync(join(this.path, folder), { withFileTypes: true })
    } catch {
      return [] // it went while it was looked at, or may not be read
    }
  }

  #sweep(temp: string): void {
    const path = join(this.path, temp)
    const stats = lstatSync(path, { throwIfNoEntry: false })
    if (stats !== undefined && Date.now() - stats.mtimeMs > STALE_TEMP_MS) rmSync(path)
  }

  look(rel: string): Seen {
    const [seen, fd] = this.#open(rel)
    if (fd !== null) closeSync(fd)
    return seen
  }

  /** What is there, with an open descriptor where it is text. */
  #open(rel: string): [Seen, number | null] {
    const way = this.#way(rel)
    if (way !== null) return [way, null]
    const path = join(this.path, rel)
    const stats = lstatSync(path, { throwIfNoEntry: false })
    if (stats === undefined || stats.isDirectory()) return [{ kind: 'absent' }, null]
    if (stats.isSymbolicLink()) return [{ kind: 'other', why: 'it is a symbolic link' }, null]
    if (!stats.isFile()) return [{ kind: 'other', why: 'it is no file' }, null]
    let fd: number
    try {
      fd = openSync(path, READ)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      return [code === 'ENOENT' ? { kind: 'moving' } : { kind: 'other', why: `${code}` }, null]
    }
    const seen = readText(fd)
    if (seen.kind === 'text') return [seen, fd]
    closeSync(fd)
    return [seen, null]
  }

  /** What keeps a path's folders from being gone through; null: nothing does. */
  #way(rel: string): Seen | null {
    for (let slash = rel.indexOf('/'); slash !== -1; slash = rel.indexOf('/', slash + 1)) {
      const stats = lstatSync(join(this.path, rel.slice(0, slash)), { throwIfNoEntry: false })
      if (stats?.isSymbolicLink()) return { kind: 'other', why: 'a symbolic link is on its way' }
      if (!stats?.isDirectory()) return { kind: 'absent' }
    }
    return null
  }

  /** Whether the folder of `rel` is where it is to be, whatever was made of it meanwhile. */
  #isInside(rel: string): boolean {
    const folder = join(this.path, rel, '..')
    return this.#way(rel) === null && realpathSync(folder) === folder
  }

  #makeFolders(rel: string): void {
    for (let slash = rel.indexOf('/'); slash !== -1; slash = rel.indexOf('/', slash + 1)) {
      const folder = join(this.path, rel.slice(0, slash))
      if (lstatSync(folder, { throwIfNoEntry: false }) === undefined) mkdirSync(folder)
    }
  }

  /**
   * Puts `text` in the place of `expected` (null: of nothing), by way of a neighbour: whoever reads meets all of it, and
   * so does who starts after a power failure, once `flush` is done. Throws what the file system throws.
   */
  async replace(rel: string, text: string, expected: string | null): Promise<Change> {
    this.#makeFolders(rel)
    if (this.#way(rel) !== null) throw new Error('a part of its path is no folder here')
    const path = join(this.path, rel)
    const temp = join(path, '..', tempName())
    const mode = lstatSync(path, { throwIfNoEntry: false })?.mode
    const file = await open(temp, 'wx', mode === undefined ? 0o666 : 0o600)
    try {
      await writeAll(file, text, mode)
      if (!this.#isInside(rel)) throw new Error('a part of its path is no folder here')
      // From here to the renaming nothing is waited for: others have next to no time to come between.
      const [seen, old] = this.#open(rel)
      if (!isExpected(seen, expected)) {
        if (old !== null) closeSync(old)
        return { done: false }
      }
      if (expected !== null) renameSync(temp, path)
      else if (!createFrom(temp, path)) {
        if (lstatSync(path).isDirectory()) throw new Error('a folder is in its place here')
        return { done: false }
      }
      return { done: true, old }
    } finally {
      rmSync(temp, { force: true })
    }
  }

  /** Removes a file that is as `expected`, and the folders that this leaves empty. */
  remove(rel: string, expected: string): Change {
    const [seen, old] = this.#open(rel)
    if (!isExpected(seen, expected) || !this.#isInside(rel)) {
      if (old !== null) closeSync(old)
      return { done: false }
    }
    unlinkSync(join(this.path, rel))
    try {
      for (let at = rel.lastIndexOf('/'); at > 0; at = rel.lastIndexOf('/', at - 1)) {
        rmdirSync(join(this.path, rel.slice(0, at)))
      }
    } catch {
      // Something else is in it.
    }
    return { done: true, old }
  }

  /** Has the names in the folders of these paths outlast a power failure. */
  async flush(rels: Iterable<string>): Promise<void> {
    const folders = new Set([...rels].map((rel) => join(this.path, rel, '..')))
    for (const path of folders) {
      const folder = await open(path, 'r').catch(() => null) // it went, or this system has no such thing
      await folder?.sync().catch(() => {})
      await folder?.close()
    }
  }
}

/** The path of `inner` below `outer`, with / between its parts; null: it is not below. */
const below = (outer: string, inner: string): string | null => {
  const rel = relative(outer, inner).split(sep).join('/')
  return rel === '..' || rel.startsWith('../') || isAbsolute(rel) ? null : rel
}

const isExpected = (seen: Seen, expected: string | null): boolean =>
  expected === null ? seen.kind === 'absent' : seen.kind === 'text' && seen.text === expected

const writeAll = async (file: FileHandle, text: string, mode?: number): Promise<void> => {
  try {
    await file.writeFile(text)
    if (mode !== undefined) await file.chmod(mode & 0o7777)
    await file.datasync()
  } finally {
    await file.close()
  }
}

/** Gives a file its name if nobody else has that. */
const createFrom = (temp: string, path: string): boolean => {
  try {
    linkSync(temp, path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') return false
    renameSync(temp, path) // no hard links here
  }
  return true
}

/** What an open file has in it, if that can be mirrored. */
export const readText = (fd: number): Seen => {
  const before = fstatSync(fd)
  if (!before.isFile()) return { kind: 'other', why: 'it is no file' }
  if (before.size > MAX_FILE_BYTES) {
    const why = `it has ${before.size} bytes; the limit is ${MAX_FILE_BYTES}`
    return { kind: 'other', why }
  }
  const bytes = Buffer.alloc(before.size)
  let length = 0
  while (length < bytes.length) {
    const read = readSync(fd, bytes, length, bytes.length - length, length)
    if (read === 0) break
    length += read
  }
  const after = fstatSync(fd)
  if (after.size !== length || after.mtimeMs !== before.mtimeMs) return { kind: 'moving' }
  if (bytes.includes(0)) return { kind: 'other', why: 'it is not text: it has a NUL in it' }
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    return { kind: 'text', text, at: after.mtimeMs }
  } catch {
    return { kind: 'other', why: 'it is not UTF-8 text' }
  }
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
