import { setTimeout as pause } from 'node:timers/promises'
import { Level } from 'level'
import { seal, sealedValues } from './checksummed.ts'
import { Corruption, causeOf } from './corruption.ts'
import type { Store, Writing } from './db.ts'
import { makeDir } from './disk.ts'
import { bringToFormat } from './format.ts'
import { HighWaterMark } from './high-water-mark.ts'
import { inspectFiles } from './inspect.ts'
import type { Op } from './level-keys.ts'

/** The implementation below abstract-level: `_batch` takes operations with encoded keys and values. */
interface Implementation {
  _batch: (ops: readonly object[], options: { sync: boolean }) => Promise<void>
}

/**
 * Writes batches without abstract-level, which copies each operation and looks up its encodings: here all are the same,
 * and small rooms write a batch every few updates.
 */
class LevelDb extends Level<string, Uint8Array> {
  // @ts-expect-error: abstract-level has more ways to call it; nothing here uses them.
  override async batch(ops: Op[], options: Writing = {}): Promise<void> {
    // `_batch` does not check that the database is open.
    if (this.status !== 'open' || options.valueEncoding !== undefined || ops.length === 0)
      return super.batch(ops, options)
    const encoded = ops.map((op) =>
      op.type === 'put' ? { type: 'put', key: op.key, value: seal(op.value) } : op,
    )
    await (this as unknown as Implementation)._batch(encoded, { sync: options.sync === true })
  }
}

/** Milliseconds between two checks of damaged files. */
const SECOND_LOOK_MS = 100

/**
 * Opens or creates the LevelDB database in a folder, and upgrades an older format. Rejects with Corruption, with Newer,
 * with Older if `upgrade` is false, or with LevelDB's error; a lock of another process has the cause code `LEVEL_LOCKED`.
 */
export const openLevel = async (dir: string, upgrade = true): Promise<Store> => {
  await makeDir(dir)
  await inspect(dir)
  const db = new LevelDb(dir, { keyEncoding: 'utf8', valueEncoding: sealedValues })
  try {
    await db.open()
    await bringToFormat(db, upgrade)
  } catch (error) {
    await db.close()
    throw damageOf(error) ?? error
  }
  const mark = new HighWaterMark(dir)
  // The lock excludes other processes, so nobody takes it over.
  const close = async (): Promise<void> => {
    await db.close()
    mark.close()
  }
  // On Node.js `level` is classic-level.
  const classic = db as LevelDb & {
    approximateSize: (from: string, to: string) => Promise<number>
    compactRange: (from: string, to: string) => Promise<void>
  }
  const sizeOf = (from: string, to: string) => classic.approximateSize(from, to)
  const compact = (from: string, to: string) => classic.compactRange(from, to)
  // Of an absent key LevelDB's filters say so without the disk.
  const lacks = (keys: readonly string[]): boolean => {
    try {
      return keys.every((key) => db.getSync(key) === undefined)
    } catch {
      return false // the next read reports it
    }
  }
  return {
    db,
    mark,
    lacks,
    sizeOf,
    compact,
    ...{ reopen: () => reopen(db), watch: () => {}, close },
  }
}

const reopen = async (db: LevelDb): Promise<void> => {
  await db.close()
  await inspect(db.location)
  try {
    await db.open()
  } catch (error) {
    await db.close()
    throw damageOf(error) ?? error
  }
}

/**
 * Throws Corruption once two checks in a row find the same damage. Files of a database open in
 * another process change during a check, so each check finds other damage or none; opening then
 * reports the lock.
 */
const inspect = async (dir: string): Promise<void> => {
  let before: string | null = null
  for (;;) {
    try {
      return await inspectFiles(dir)
    } catch (error) {
      const { message } = error as Error
      if (message === before) throw error
      before = message
    }
    await pause(SECOND_LOOK_MS)
  }
}

/** The damage that LevelDB itself reports; null if the error has another cause. */
const damageOf = (thrown: unknown): Corruption | null => {
  const found = causeOf(thrown, Corruption)
  if (found !== null) return found
  for (let error = thrown; error instanceof Error; error = error.cause) {
    if ((error as { code?: string }).code !== 'LEVEL_CORRUPTION') continue
    return new Corruption('the database', error.message)
  }
  return null
}
