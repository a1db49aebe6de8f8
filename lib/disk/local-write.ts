import {
  closeSync,
  fchmodSync,
  fchownSync,
  fstatSync,
  lstatSync,
  openSync,
  readFileSync,
  readlinkSync,
  type Stats,
  writeFileSync,
} from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { ClawError } from '../../protocol/errors.ts'
import { writeAtomic, writeAtomicNow } from './atomic-write.ts'

/** Symbolic links followed to a file (count), as on Linux. */
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

/** Gives a new file the mode of the file that it replaces, and its owner if that is possible. */
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

/**
 * Writes a local file atomically: it is complete and on disk afterwards, or as it was before. Its
 * mode, owner, links and other names stay; `mode` sets another mode. A device is written to. Throws
 * the error of the file system, and `usage` for a pipe.
 */
export const writeLocal = (path: string, content: string, mode?: number): void => {
  const { path: target, stats } = targetOf(path)
  if (stats !== null && !isReplaceable(stats)) writeThrough(target, stats, content)
  else writeAtomicNow(target, content, { mode, prepare: (file) => likeBefore(file, stats, mode) })
}

/** Throws `usage` for a pipe or a socket: without a reader, a write to it would block the link. */
const checkNoPipe = (path: string, stats: Stats): void => {
  if (!stats.isFIFO() && !stats.isSocket()) return
  throw new ClawError('usage', `${path} is a pipe or a socket`, 'name a file, or redirect stdout')
}

/** Writes into a device, or a file with other names; a failed write puts the old content back. */
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

/** As `writeLocal`, for content that `fill` writes in pieces. Replaces a file with other names, too. */
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
  await writeAtomic(target, fill, { prepare: (file) => likeBefore(file, stats) })
}

/** Errors of a full or read-only disk: another folder on it would fail, too. */
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
