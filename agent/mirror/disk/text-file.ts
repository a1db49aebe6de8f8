import { closeSync, constants, fstatSync, lstatSync, openSync, readSync } from 'node:fs'
import { MAX_FILE_BYTES } from '../../../protocol/limits.ts'
import { whyOf } from './way.ts'

/** The state of a path on disk. */
export type Seen =
  | { kind: 'absent' }
  /** `at`: time of the last write, milliseconds since the epoch. */
  | { kind: 'text'; text: string; at: number }
  /** Something that is not mirrored. */
  | { kind: 'other'; why: string }
  /** It was written to while it was read. */
  | { kind: 'moving' }

const READ = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0)

/** Reads `path`; a text comes with an open descriptor. Throws errors of the file system. */
export const openText = (path: string): [Seen, number | null] => {
  const stats = lstatSync(path, { throwIfNoEntry: false })
  if (stats === undefined || stats.isDirectory()) return [{ kind: 'absent' }, null]
  if (stats.isSymbolicLink()) return [{ kind: 'other', why: 'it is a symbolic link' }, null]
  if (!stats.isFile()) return [{ kind: 'other', why: 'it is not a file' }, null]
  let fd: number
  try {
    fd = openSync(path, READ)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    return [code === 'ENOENT' ? { kind: 'moving' } : { kind: 'other', why: whyOf(error) }, null]
  }
  const seen = safely(() => readOpenText(fd))
  if (seen.kind === 'text') return [seen, fd]
  closeSync(fd)
  return [seen, null]
}

const safely = (read: () => Seen): Seen => {
  try {
    return read()
  } catch (error) {
    return { kind: 'other', why: whyOf(error) }
  }
}

/** The content of an open file, if it can be mirrored. */
export const readOpenText = (fd: number): Seen => {
  const before = fstatSync(fd)
  if (!before.isFile()) return { kind: 'other', why: 'it is not a file' }
  if (before.size > MAX_FILE_BYTES) {
    const why = `it has ${before.size} bytes; the limit is ${MAX_FILE_BYTES}`
    return { kind: 'other', why }
  }
  const bytes = Buffer.alloc(before.size)
  let length = 0
  while (length < bytes.length) {
    const read = readSync(fd, bytes, length, bytes.length - length, length)
    if (read === 0) break
    length += read
  }
  const after = fstatSync(fd)
  if (after.size !== length || after.mtimeMs !== before.mtimeMs) return { kind: 'moving' }
  if (bytes.includes(0)) return { kind: 'other', why: 'it is not text: it has a NUL in it' }
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    return { kind: 'text', text, at: after.mtimeMs }
  } catch {
    return { kind: 'other', why: 'it is not UTF-8 text' }
  }
}
