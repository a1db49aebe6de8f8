import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { type FileHandle, mkdir, readdir, stat, utimes } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { syncFolder } from '../../../lib/disk/sync-folder.ts'

const isMissing = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOENT'

/** Bytes of a file; null if it does not exist. */
export const sizeOf = async (path: string): Promise<number | null> => {
  try {
    return (await stat(path)).size
  } catch (error) {
    if (isMissing(error)) return null
    throw error
  }
}

/** Names in a folder; none if it does not exist. */
export const namesIn = async (dir: string): Promise<string[]> => {
  try {
    return await readdir(dir)
  } catch (error) {
    if (isMissing(error)) return []
    throw error
  }
}

/** Sets a file's modification time to `ms`, milliseconds since the epoch. */
export const touch = (path: string, ms: number): Promise<void> => utimes(path, ms / 1000, ms / 1000)

/** Writes all `bytes` at `position`, however many calls that takes. */
export const write = async (
  file: FileHandle,
  bytes: Uint8Array,
  position: number,
): Promise<void> => {
  for (let done = 0; done < bytes.length; ) {
    const rest = bytes.length - done
    done += (await file.write(bytes, done, rest, position + done)).bytesWritten
  }
}

/** SHA-256 of a file, in hex. */
export const digestOf = async (path: string): Promise<string> => {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path, { highWaterMark: 256 * 1024 })) {
    hash.update(chunk as Uint8Array)
  }
  return hash.digest('hex')
}

/**
 * Creates a folder and its parents, durably. Node's own `recursive` retries for ever in a folder
 * that accepts no entries, such as /proc. Rejects with the file system's error.
 */
export const makeDir = async (dir: string): Promise<void> => {
  const above = dirname(resolve(dir))
  try {
    await mkdir(dir, { mode: 0o700 })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return
    if (!isMissing(error) || (await sizeOf(above)) !== null) throw error
    await makeDir(above)
    return makeDir(dir)
  }
  await syncFolder(above)
}
