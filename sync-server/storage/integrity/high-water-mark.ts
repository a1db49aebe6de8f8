import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'

export const WITNESS_FILE = 'newest-record'
/** A key fits, with its checksum. */
const BYTES = 128

/**
 * A file beside the database that has the key of the newest record that was made durable. LevelDB cannot tell a journal
 * that was cut short from one that a crash ended there, and opens it without what is missing; this can. It is
 * written over in place after every commit and not fsync'd: after a power loss it may have an older key, never a
 * newer one than what is on disk.
 */
export class Witness {
  readonly #path: string
  #file: number | null = null

  constructor(dir: string) {
    this.#path = join(dir, WITNESS_FILE)
  }

  /** The newest key that was noted; null where there is none that can be read. */
  read(): string | null {
    let file: number
    try {
      file = openSync(this.#path, 'r')
    } catch {
      return null
    }
    try {
      const bytes = Buffer.alloc(BYTES)
      const text = bytes.toString('utf8', 0, readSync(file, bytes, 0, BYTES, 0))
      const [, key, sum] = /^(\S+) ([0-9a-f]+) *\n$/.exec(text) ?? []
      return key !== undefined && sum === crc32(key).toString(16) ? key : null
    } finally {
      closeSync(file)
    }
  }

  note(key: string): void {
    try {
      this.#file ??= openSync(this.#path, constants.O_RDWR | constants.O_CREAT, 0o600)
      writeSync(this.#file, `${`${key} ${crc32(key).toString(16)}`.padEnd(BYTES - 1)}\n`, 0)
    } catch {
      // It makes damage known and is no promise: what is durable is so without it.
    }
  }

  close(): void {
    if (this.#file !== null) closeSync(this.#file)
    this.#file = null
  }
}
