import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { copyFile, link, open, readdir, rename, rm, rmdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { ClawError } from '../../workspace/errors.ts'
import { makeDir, syncDir } from '../disk.ts'

/** Throws `not_empty` where there is something at `dir`. */
const checkNew = async (dir: string, hint: string): Promise<void> => {
  let names: string[]
  try {
    names = await readdir(dir)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return
    if (code === 'ENOTDIR') throw new ClawError('not_empty', `${dir} is a file`, hint)
    throw error
  }
  if (names.length > 0) throw new ClawError('not_empty', `${dir} is not empty`, hint)
}

/**
 * Makes the folder `dir`, which is new or empty, of what `fill` puts into another beside it: it is there whole and on disk,
 * or not at all. A kill leaves the other, `<dir>.partial-…`. Throws `not_empty`, what `fill` throws, and
 * `data_unusable` where the disk does not do.
 */
export const makeFolder = async <T>(
  dir: string,
  hint: string,
  fill: (partial: string) => Promise<T>,
): Promise<T> => {
  await checkNew(dir, hint)
  const partial = `${dir}.partial-${randomBytes(4).toString('hex')}`
  try {
    await makeDir(partial)
    const made = await fill(partial)
    await syncDir(partial)
    await checkNew(dir, hint)
    await rmdir(dir).catch(() => {}) // it may not be there
    await rename(partial, dir)
    await syncDir(dirname(dir))
    return made
  } catch (error) {
    await rm(partial, { recursive: true, force: true }).catch(() => {})
    throw diskError(dir, error)
  }
}

const diskError = (dir: string, thrown: unknown): unknown => {
  const { syscall, code } = thrown as NodeJS.ErrnoException
  if (syscall === undefined || thrown instanceof ClawError) return thrown
  const hint = code === 'ENOSPC' ? 'make room on that disk' : 'check that you may write there'
  const error = new ClawError('data_unusable', `${dir} cannot be made: ${code}`, hint)
  error.cause = thrown
  return error
}

/** Copies a file that never changes, or links it where that is allowed and can be; fsync'd. */
export const copyWhole = async (from: string, to: string, mayLink: boolean): Promise<void> => {
  if (mayLink) {
    try {
      return await link(from, to)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw error
    }
  }
  await copyFile(from, to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE)
  const file = await open(to, 'r')
  await file.sync().finally(() => file.close())
}
