import { writeSync } from 'node:fs'

/**
 * Writes all of `text` and gives null, or why not, as an error's code. Node's streams take a short write for a whole one, and
 * pino's own destination tries for ever on a disk that is full.
 */
export const writeAll = (fd: 1 | 2, text: string): string | null => {
  let rest = Buffer.from(text)
  try {
    while (rest.length > 0) rest = rest.subarray(writeSync(fd, rest))
    return null
  } catch (error) {
    const { code = 'EIO' } = error as NodeJS.ErrnoException
    if (code !== 'EAGAIN')
      return code
      // A pipe that is full and does not block.
    ;(fd === 1 ? process.stdout : process.stderr).write(rest)
    return null
  }
}

/** Says that stdout did not take all, and gives the exit code; a reader that went away knows that itself. */
export const notPrinted = (why: string, code: number): number => {
  if (why === 'EPIPE') return code
  const what = why === 'ENOSPC' ? `${why} (the disk is full)` : why
  writeAll(2, `error: cannot write to stdout: ${what}\n`)
  return code || 1
}
