import { randomUUID } from 'node:crypto'
import {
  closeSync,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsyncSync,
  lstatSync,
  openSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  type Stats,
  writeFileSync,
} from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { ClawError } from '../../protocol/errors.ts'

/** Links that are gone through to the file that is meant (count): what Linux does. */
const MAX_LINKS = 40

/** The target of a path, with symbolic links resolved, and its state; null if there is none yet. */
const targetOf = (path: string): { path: string; stats: Stats | null } => {
  let at = path
  for (let links = 0; links <= MAX_LINKS; links++) {
    const stats = lstatSync(at, { throwIfNoEntry: false }) ?? null
    if (!stats?.isSymbolicLink()) return { path: at, stats }
    at = resolve(dirname(at), readlinkSync(at))
  }
  throw Object.assign(new Error('too many links'), { code: 'ELOOP' })
}

/** True if a file can be replaced: not a pipe or a device, and without another hard link. */
const isReplaceable = (stats: Stats | null): boolean =>
  stats === null || (stats.isFile() && stats.nlink === 1)

const neighbourOf = (path: string): string => `${path}.${randomUUID().slice(0, 8)}.tmp`

/** The neighbour gets the mode, and where that can be given the owner, of what it is to replace. */
const likeBefore = (file: number, before: Stats | null, mode?: number): void => {
  if (before === null) return
  const own = fstatSync(file)
  try {
    if (own.uid !== before.uid || own.gid !== before.gid) fchownSync(file, before.uid, before.gid)
  } catch {
    // Only root gives files away.
  }
  fchmodSync(file, mode ?? before.mode & 0o7777)
}

/** Has the name of a new file outlast a power failure, where the system can do that. */
const flushFolder = (path: string): void => {
  try {
    const folder = openSync(dirname(path), 'r')
    try {
      fsyncSync(folder)
    } finally {
      closeSync(folder)
    }
  } catch {
    // It cannot, or may not be read.
  }
}

/**
 * Writes a local file: all of it is there afterwards, on disk, or what was there before, and then this throws what the file
 * system throws. Mode, owner, links and other names of the file stay. A device is written to, a pipe is
 * refused (`usage`). `mode`: what it is
 * to be, whatever it was.
 */
export const writeLocal = (path: string, content: string, mode?: number): void => {
  const { path: target, stats } = targetOf(path)
  if (stats !== null && !isReplaceable(stats)) {
    writeThrough(target, stats, content)
    return
  }
  const neighbour = neighbourOf(target)
  try {
    const file = openSync(neighbour, 'wx', mode ?? 0o666)
    try {
      writeFileSync(file, content) // all of it, or it throws
      likeBefore(file, stats, mode)
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
    renameSync(neighbour, target)
  } catch (error) {
    rmSync(neighbour, { force: true })
    throw error
  }
  flushFolder(target)
}

/** A program that reads a pipe may never come, and the link would wait for it with all that it does. */
const checkNoPipe = (path: string, stats: Stats): void => {
  if (!stats.isFIFO() && !stats.isSocket()) return
  throw new ClawError('usage', `${path} is a pipe or a socket`, 'name a file, or redirect stdout')
}

/** Into what has other names, or is not a file; a file that cannot take all of it gets back what it had. */
const writeThrough = (path: string, stats: Stats, content: string): void => {
  checkNoPipe(path, stats)
  if (!stats.isFile()) {
    const file = openSync(path, 'w')
    try {
      writeFileSync(file, content)
    } finally {
      closeSync(file)
    }
    return
  }
  const before = readFileSync(path)
  try {
    writeFileSync(path, content, { flush: true })
  } catch (error) {
    writeFileSync(path, before)
    throw error
  }
}

/** As `writeLocal`, for what `fill` writes in pieces; where the file has other names it is replaced all the same. */
export const writeLocalBy = async (
  path: string,
  fill: (file: FileHandle) => Promise<void>,
): Promise<void> => {
  const { path: target, stats } = targetOf(path)
  if (stats !== null && !stats.isFile()) {
    checkNoPipe(target, stats)
    const file = await open(target, 'w')
    return fill(file).finally(() => file.close())
  }
  const neighbour = neighbourOf(target)
  try {
    const file = await open(neighbour, 'wx')
    try {
      await fill(file)
      likeBefore(file.fd, stats)
      await file.sync()
    } finally {
      await file.close()
    }
    renameSync(neighbour, target)
  } catch (error) {
    rmSync(neighbour, { force: true })
    throw error
  }
  flushFolder(target)
}

/** The disk is full or read-only: another folder on it would fail, too. */
const DISK = new Set(['ENOSPC', 'EDQUOT', 'EROFS', 'EFBIG', 'EIO'])

/** The error of a failed write of `output`. */
export const cannotWrite = (output: string, path: string, cause: unknown): ClawError => {
  if (cause instanceof ClawError) return cause
  const { code, message } = cause as NodeJS.ErrnoException
  const what = `cannot write ${output}: ${code ?? message}; what was there is unchanged`
  return DISK.has(code ?? '')
    ? new ClawError('cannot_write', what, 'make room, or name a file on another disk')
    : new ClawError(
        'no_such_local_file',
        what,
        `${dirname(path)} must be a folder you may write to`,
      )
}
