import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { dirname } from 'node:path'
import { randomHex } from '../random.ts'
import { syncFolder, syncFolderNow } from './sync-folder.ts'

export interface AtomicOptions {
  /** Permissions of the new file, before the umask. */
  mode?: number | undefined
  /** Path of the temporary file, in the same folder; a random neighbour of `path` by default. */
  temp?: string
  /** Sets owner and permissions of the temporary file; called before it is synced. */
  prepare?: (fd: number) => void
  /**
   * Puts the complete temporary file in its place; returns false to keep the existing one. It renames by default. It is
   * called right before the folder is synced, so it may compare the existing file.
   */
  place?: (temp: string) => boolean
  /** False if the caller syncs the folder later. */
  syncsFolder?: boolean
}

/** 0o666 is what `open` takes without a mode. */
const FILE_MODE = 0o666

const tempOf = (path: string): string => `${path}.${randomHex(4)}.tmp`

const placed = (temp: string, path: string, { place }: AtomicOptions): boolean => {
  if (place !== undefined) return place(temp)
  renameSync(temp, path)
  return true
}

/**
 * Replaces a file atomically: it has all of `content` afterwards, on disk, or what it had before.
 * Returns false if `place` left what was there. Throws the error of the file system (ENOSPC,
 * EDQUOT, …); no temporary file is left then.
 */
export const writeAtomicNow = (
  path: string,
  content: string | Uint8Array,
  options: AtomicOptions = {},
): boolean => {
  const { temp = tempOf(path), mode = FILE_MODE } = options
  const file = openSync(temp, 'wx', mode)
  try {
    try {
      writeFileSync(file, content) // all of it, or it throws
      options.prepare?.(file)
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
    if (!placed(temp, path, options)) return false
  } finally {
    rmSync(temp, { force: true })
  }
  if (options.syncsFolder !== false) syncFolderNow(dirname(path))
  return true
}

/** As `writeAtomicNow`, without blocking; `fill` writes the content, in pieces if it likes. */
export const writeAtomic = async (
  path: string,
  fill: string | ((file: FileHandle) => Promise<void>),
  options: AtomicOptions = {},
): Promise<boolean> => {
  const { temp = tempOf(path), mode = FILE_MODE } = options
  const file = await open(temp, 'wx', mode)
  try {
    try {
      await (typeof fill === 'string' ? file.writeFile(fill) : fill(file))
      options.prepare?.(file.fd)
      await file.sync()
    } finally {
      await file.close()
    }
    if (!placed(temp, path, options)) return false
  } finally {
    rmSync(temp, { force: true })
  }
  if (options.syncsFolder !== false) await syncFolder(dirname(path))
  return true
}
