import { randomUUID } from 'node:crypto'
import {
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, resolve } from 'node:path'

/**
 * Makes a folder of this user's own, and those above it. Node's own `recursive` says ENOENT of a file system that is
 * read-only; this throws what the file system says.
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

/** Writes a neighbour of `path`, all of it and fsync'd, and hands its name to `give`; it is gone afterwards. */
const throughNeighbour = (path: string, value: object, give: (neighbour: string) => void): void => {
  makeOwnDir(dirname(path))
  const neighbour = `${path}.${randomUUID().slice(0, 8)}.tmp`
  try {
    const file = openSync(neighbour, 'wx', 0o600)
    try {
      writeFileSync(file, `${JSON.stringify(value)}\n`) // all of it, or it throws
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
    give(neighbour)
  } finally {
    rmSync(neighbour, { force: true })
  }
}

/** Writes a file of this user's own (0600): all of it is on disk afterwards, or what was there before. */
export const writeOwn = (path: string, value: object): void =>
  throughNeighbour(path, value, (neighbour) => renameSync(neighbour, path))

/**
 * Writes such a file if there is none yet; whether it did. Where the file system has no hard links others may see it, for a
 * moment, before it is whole.
 */
export const claimOwn = (
  path: string,
  value: object,
  link: (from: string, to: string) => void = linkSync,
): boolean => {
  let isMine = true
  throughNeighbour(path, value, (neighbour) => {
    try {
      link(neighbour, path)
    } catch (error) {
      isMine = (error as NodeJS.ErrnoException).code !== 'EEXIST' && createOwn(path, value)
    }
  })
  return isMine
}

const createOwn = (path: string, value: object): boolean => {
  try {
    writeFileSync(path, `${JSON.stringify(value)}\n`, { flag: 'wx', mode: 0o600, flush: true })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    rmSync(path, { force: true }) // there may be a part of it
    throw error
  }
}
