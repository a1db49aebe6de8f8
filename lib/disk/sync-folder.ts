import { closeSync, fsyncSync, openSync } from 'node:fs'
import { open } from 'node:fs/promises'

/** Errors of systems that cannot sync folders, and of folders that this user may not open. */
const CANNOT: ReadonlySet<unknown> = new Set(['EACCES', 'EPERM', 'EISDIR', 'EINVAL', 'ENOTSUP'])

const throwUnlessCannot = (error: unknown): void => {
  if (!CANNOT.has((error as NodeJS.ErrnoException).code)) throw error
}

/**
 * Makes created and renamed entries of a folder survive a power failure, where the system can do
 * that. Rejects with the file system's error.
 */
export const syncFolder = async (dir: string): Promise<void> => {
  try {
    const folder = await open(dir, 'r')
    await folder.sync().finally(() => folder.close())
  } catch (error) {
    throwUnlessCannot(error)
  }
}

/** As `syncFolder`, at once. Throws the file system's error. */
export const syncFolderNow = (dir: string): void => {
  try {
    const folder = openSync(dir, 'r')
    try {
      fsyncSync(folder)
    } finally {
      closeSync(folder)
    }
  } catch (error) {
    throwUnlessCannot(error)
  }
}
