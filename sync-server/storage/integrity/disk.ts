import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { type FileHandle, mkdir, open, readdir, stat, utimes } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'

const isMissing = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOENT'

/** Bytes of a file; null: it is not there. */
export const sizeOf = async (path: string): Promise<number | null> => {
  try {
    return (await stat(path)).size
  } catch (error) {
    if (isMissing(error)) return null
    throw error
  }
}

/** What is in a folder; nothing in one that is not there. */
export const namesIn = async (dir: string): Promise<string[]> => {
  try {
    return await readdir(dir)
  } catch (error) {
    if (isMissing(error)) return []
    throw error
  }
}

/** Sets the time of a file, milliseconds since the epoch. */
export const touch = (path: string, ms: number): Promise<void> => utimes(path, ms / 1000, ms / 1000)

/** Writes all of it. */
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
 * Makes a folder, and those above it, so that a power loss does not take them back. Node's own `recursive` tries for ever
 * where nothing can be made in a folder that is there (/proc). Rejects with what the file system says.
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
  await syncDir(above)
}

/** Makes what was made or renamed in a folder last over a power loss. */
export const syncDir = async (dir: string): Promise<void> => {
  // Windows opens no folders, and needs none to be synced.
  if (process.platform === 'win32') return
  const handle = await open(dir, 'r')
  await handle.sync().finally(() => handle.close())
}
