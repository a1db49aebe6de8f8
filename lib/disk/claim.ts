import { randomUUID } from 'node:crypto'
import { linkSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { claimOwn } from './own-file.ts'

/** Claims of other processes that may come between (count). */
const MAX_TRIES = 5

/** The text of a file; null if it cannot be read. */
export const textOf = (path: string): string | null => {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return null
  }
}

/** Removes `path` if it still has this text: a claim that another process made meanwhile stays. */
const removeIf = (path: string, text: string): void => {
  const aside = `${path}.${randomUUID().slice(0, 8)}.tmp`
  try {
    renameSync(path, aside)
  } catch {
    return // another process was faster
  }
  try {
    if (textOf(aside) !== text) linkSync(aside, path)
  } catch {
    // A third process has claimed it by now.
  }
  rmSync(aside, { force: true })
}

/**
 * Claims the file for one process of several: writes `value` as JSON if the file is missing, or if `isFree` says so of
 * its text. Returns null if that succeeded, else the text of the claim in its way. Throws what the file system throws.
 */
export const claimFile = (
  path: string,
  value: object,
  isFree: (text: string) => boolean,
): string | null => {
  for (let tries = 0; ; tries++) {
    if (claimOwn(path, value)) return null
    const found = textOf(path) ?? ''
    if (!isFree(found) || tries === MAX_TRIES) return found
    removeIf(path, found)
  }
}
