import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  lstatSync,
  openSync,
  realpathSync,
  type Stats,
} from 'node:fs'
import { join } from 'node:path'

/** Linux: opens a folder only as a starting point; permission to list it is not needed. */
const O_PATH = process.platform === 'linux' ? 0o10000000 : 0
const FOLDER = O_PATH | (constants.O_DIRECTORY ?? 0) | (constants.O_NOFOLLOW ?? 0)
/** True if a path can begin at an open folder, as with openat(2). */
const BY_FD = O_PATH !== 0 && existsSync('/proc/self/fd')

/** An open folder. The caller closes it. */
export interface HeldFolder {
  /** Path of this folder; with /proc it stays valid if the folder is renamed. */
  readonly path: string
  readonly is: Stats
  /** The path of an entry. */
  at: (name: string) => string
  /** Throws if the name of this folder refers to another one now. */
  check: () => void
  close: () => void
}

/** A part of a path is not a plain folder; `message` has the cause. */
export class Obstacle extends Error {}

const NO_FOLDER = new Set(['ENOTDIR', 'ELOOP', 'ENOENT'])

/**
 * Opens the folder `path`, which must not be a symbolic link; null if it does not exist. Throws
 * `Obstacle` for a symbolic link, and errors of the file system. Without /proc, `check` detects a
 * swapped folder but cannot prevent it.
 */
export const holdFolder = (path: string): HeldFolder | null => {
  try {
    return BY_FD ? heldByFd(path) : heldByName(path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (!NO_FOLDER.has(code ?? '')) throw error
    const stats = lstatSync(path, { throwIfNoEntry: false })
    if (stats?.isSymbolicLink()) throw new Obstacle('a symbolic link is on its way')
    return null
  }
}

const heldByFd = (path: string): HeldFolder => {
  const fd = openSync(path, FOLDER)
  const own = `/proc/self/fd/${fd}`
  return {
    path: own,
    is: fstatSync(fd),
    at: (name) => `${own}/${name}`,
    check: () => {},
    close: () => closeSync(fd),
  }
}

const heldByName = (path: string): HeldFolder | null => {
  const is = lstatSync(path)
  if (is.isSymbolicLink()) throw new Obstacle('a symbolic link is on its way')
  if (!is.isDirectory()) return null
  const check = (): void => {
    const now = lstatSync(path, { throwIfNoEntry: false })
    if (now?.ino === is.ino && now.dev === is.dev && realpathSync(path) === path) return
    throw new Obstacle('a folder on its path was just replaced')
  }
  check()
  return { path, is, at: (name) => join(path, name), check, close: () => {} }
}

/** The cause to report for a path, from an error. */
export const whyOf = (error: unknown): string => {
  const { code, message } = error as NodeJS.ErrnoException
  if (typeof code !== 'string' || !/^E[A-Z0-9]+$/.test(code)) return message
  return WHY[code] === undefined ? code : `${code}: ${WHY[code]}`
}

const WHY: { [code: string]: string } = {
  EACCES: 'no permission',
  EPERM: 'no permission',
  EROFS: 'the disk can only be read',
  ENOSPC: 'no room on the disk',
  EDQUOT: 'no room left of the disk quota',
  ENAMETOOLONG: 'the name is too long for this disk',
  EISDIR: 'a folder is in its place here',
  EIO: 'the disk fails',
}
