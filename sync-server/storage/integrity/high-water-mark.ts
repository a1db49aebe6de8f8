import { closeSync, constants, fsyncSync, openSync, readSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'

export const HIGH_WATER_MARK_FILE = 'newest-record'
/** Enough for a key with its checksum. */
const BYTES = 128

/**
 * A file in the data folder with the key of the newest durable record. LevelDB cannot tell a truncated journal from one
 * that ended in a crash, and a PostgreSQL standby that is promoted may lack commits; both open without the missing
 * records, and this file makes the loss visible. It is overwritten in place after every commit and not fsynced: after
 * a power loss it may hold an older key, never a newer one than the database.
 */
export class HighWaterMark {
  readonly #path: string
  #file: number | null = null

  /** `database`: names a database that is not in the folder. */
  constructor(dir: string, database?: string) {
    const name = HIGH_WATER_MARK_FILE + (database === undefined ? '' : `.${database}`)
    this.#path = join(dir, name)
  }

  /** The newest key noted; null if none is readable. */
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

  /** `isSynced`: a power loss does not bring an older key back. */
  note(key: string, isSynced = false): void {
    try {
      this.#file ??= openSync(this.#path, constants.O_RDWR | constants.O_CREAT, 0o600)
      writeSync(this.#file, `${`${key} ${crc32(key).toString(16)}`.padEnd(BYTES - 1)}\n`, 0)
      if (isSynced) fsyncSync(this.#file)
    } catch {
      // The file only helps to detect damage; records are durable without it.
    }
  }

  close(): void {
    if (this.#file !== null) closeSync(this.#file)
    this.#file = null
  }
}
