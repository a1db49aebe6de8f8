import { fstatSync, readSync, statSync, writeSync } from 'node:fs'

/**
 * Resolves to null once all of it was taken, or to why not, as an error's code. Does without Node's streams, which take long
 * to load and leave off what a full disk did not take, if it can.
 */
export const write = (fd: 1 | 2, text: string): Promise<string | null> => {
  let rest = Buffer.from(text)
  try {
    while (rest.length > 0) rest = rest.subarray(writeSync(fd, rest))
    return Promise.resolve(null)
  } catch (error) {
    // A full pipe that somebody has made non-blocking.
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'EAGAIN') return Promise.resolve(code ?? 'EIO')
  }
  const stream = fd === 1 ? process.stdout : process.stderr
  return new Promise((resolve) => {
    stream.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'EIO'))
    stream.write(rest, (error) => {
      if (!error) resolve(null)
    })
  })
}

/** Says that stdout did not take all, and gives the exit code; a reader that went away knows that itself. */
export const notPrinted = async (why: string, more = ''): Promise<number> => {
  if (why === 'EPIPE') return 0
  const what = why === 'ENOSPC' ? `${why} (the disk is full)` : why
  await write(2, `error: cannot write to stdout: ${what}${more}\n`)
  return 1
}

/**
 * True if this program was started without a stdout: Node then opens /dev/null instead, for reading
 * and writing, while a shell's `>/dev/null` opens it for writing only.
 */
export const isStdoutClosed = (): boolean => {
  try {
    if (fstatSync(1).rdev !== statSync('/dev/null').rdev) return false
    readSync(1, Buffer.alloc(1))
    return true
  } catch {
    return false // not open for reading, or the device does not exist
  }
}
