import { constants } from 'node:fs'
import { copyFile, link, open, readdir, rename, rm, rmdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { syncFolder } from '../../lib/disk/sync-folder.ts'
import { randomHex } from '../../lib/random.ts'
import { ClawError } from '../../protocol/errors.ts'
import { makeDir } from '../storage/integrity/disk.ts'

/** Moved last into a folder that is there already: without its manifest a backup is none, and no database is opened without CURRENT. */
const LAST = ['CURRENT', 'manifest.json']

/** True if the folder `dir` exists; it must be empty but for `own`. Throws `not_empty`. */
const isThere = async (dir: string, hint: string, own?: string): Promise<boolean> => {
  let names: string[]
  try {
    names = await readdir(dir)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return false
    if (code === 'ENOTDIR') throw new ClawError('not_empty', `${dir} is a file`, hint)
    throw error
  }
  if (names.every((name) => name === own)) return true
  throw new ClawError('not_empty', `${dir} is not empty`, hint)
}

/**
 * Makes the folder `dir`, which is new or empty, of what `fill` puts into another: it is there whole and on disk, or it
 * passes for nothing. A new one gets its name in one step; one that is there, and may be a volume, or in a folder that
 * cannot be written, gets what is in it file by file, what makes it one last. A kill leaves `<dir>.partial-…`, or
 * `<dir>/.partial-…`. Throws `not_empty`, what `fill` throws, and `data_unusable` where the disk does not do.
 */
export const makeFolder = async <T>(
  dir: string,
  hint: string,
  fill: (partial: string) => Promise<T>,
): Promise<T> => {
  const name = `.partial-${randomHex(4)}`
  let partial: string | null = null
  try {
    const fills = await isThere(dir, hint)
    partial = fills ? join(dir, name) : `${dir}${name}`
    await makeDir(partial)
    const made = await fill(partial)
    await syncFolder(partial)
    await isThere(dir, hint, name)
    if (fills) await moveUp(partial, dir)
    else await rename(partial, dir)
    await syncFolder(dirname(dir))
    return made
  } catch (error) {
    if (partial !== null) await rm(partial, { recursive: true, force: true }).catch(() => {})
    throw diskError(dir, error)
  }
}

const moveUp = async (partial: string, dir: string): Promise<void> => {
  const names = (await readdir(partial)).sort() // a database's tables first: without CURRENT they are known to be damaged
  const move = async (some: string[]): Promise<void> => {
    for (const name of some) await rename(join(partial, name), join(dir, name))
    await syncFolder(dir)
  }
  await move(names.filter((name) => !LAST.includes(name)))
  await move(names.filter((name) => LAST.includes(name)))
  await rmdir(partial)
}

const diskError = (dir: string, thrown: unknown): unknown => {
  const { syscall, code } = thrown as NodeJS.ErrnoException
  if (syscall === undefined || thrown instanceof ClawError) return thrown
  const hint =
    code === 'ENOSPC' || code === 'EDQUOT'
      ? 'make room on that disk'
      : 'check that the user of the server may write there'
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
