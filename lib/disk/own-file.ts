import { linkSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { writeAtomic, writeAtomicNow } from './atomic-write.ts'

/**
 * Makes a folder of this user's own, and the folders above it. Throws the error of the file system:
 * Node's own `recursive` reports ENOENT for a read-only file system.
 */
export const makeOwnDir = (dir: string): void => {
  const above = dirname(resolve(dir))
  try {
    mkdirSync(dir, { mode: 0o700 })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (statSync(dir, { throwIfNoEntry: false })?.isDirectory()) return
    if (code !== 'ENOENT' || above === dir || isDir(above)) throw error
    makeOwnDir(above)
    makeOwnDir(dir)
  }
}

const isDir = (path: string): boolean => statSync(path, { throwIfNoEntry: false }) !== undefined

/** Only this user may read or write it. */
const OWN_MODE = 0o600

const lineOf = (value: object): string => `${JSON.stringify(value)}\n`

/**
 * Replaces a JSON file of this user's own (0600) atomically, and makes its folder if there is none.
 * Throws the error of the file system.
 */
export const writeOwn = (path: string, value: object): void => {
  makeOwnDir(dirname(path))
  writeAtomicNow(path, lineOf(value), { mode: OWN_MODE })
}

/** As `writeOwn`, without blocking, and in a folder that is there. */
export const replaceOwn = async (path: string, value: object): Promise<void> => {
  await writeAtomic(path, lineOf(value), { mode: OWN_MODE })
}

/**
 * Creates such a file; returns false if there is one already. Where the file system has no hard
 * links, others may read a part of it for a moment.
 */
export const claimOwn = (
  path: string,
  value: object,
  link: (from: string, to: string) => void = linkSync,
): boolean => {
  makeOwnDir(dirname(path))
  return writeAtomicNow(path, lineOf(value), {
    mode: OWN_MODE,
    place: (temp) => {
      try {
        link(temp, path)
        return true
      } catch (error) {
        return (error as NodeJS.ErrnoException).code !== 'EEXIST' && createOwn(path, value)
      }
    },
  })
}

const createOwn = (path: string, value: object): boolean => {
  try {
    writeFileSync(path, lineOf(value), { flag: 'wx', mode: OWN_MODE, flush: true })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    rmSync(path, { force: true }) // there may be a part of it
    throw error
  }
}
