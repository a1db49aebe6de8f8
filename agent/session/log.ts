import { appendFileSync, renameSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** Size at which the log is rotated, in bytes: a few weeks of a link. One older file is kept. */
export const MAX_LOG_BYTES = 1024 * 1024
/** Longest line, in characters: a stack fits, and a server's long answer does not fill the file. */
const MAX_LINE = 8 * 1024

export type Log = (line: string) => void

/** A log in `home`, written line by line. A line that cannot be written is dropped. */
export const openLog = (home: string): Log => {
  const path = join(home, 'link.log')
  const sizeNow = (): number => {
    try {
      return statSync(path).size
    } catch {
      return 0
    }
  }
  let size = sizeNow()
  return (line) => {
    const shown = line.length > MAX_LINE ? `${line.slice(0, MAX_LINE)} … (${line.length})` : line
    const text = Buffer.from(`${new Date().toISOString()} ${shown}\n`)
    try {
      if (size + text.length > MAX_LOG_BYTES) {
        renameSync(path, `${path}.1`)
        size = 0
      }
      appendFileSync(path, text, { mode: 0o600 })
      size += text.length
    } catch {
      size = sizeNow()
    }
  }
}
