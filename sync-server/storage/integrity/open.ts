import { setTimeout as pause } from 'node:timers/promises'
import { Level } from 'level'
import { sealedValues } from './checksummed.ts'
import { Corruption, causeOf } from './corruption.ts'
import { makeDir } from './disk.ts'
import { bringToFormat } from './format.ts'
import { inspectFiles } from './inspect.ts'

export type Db = Level<string, Uint8Array>

/** Milliseconds between two checks of damaged files. */
const SECOND_LOOK_MS = 100

/** Opens or creates the database in a folder. Rejects like `LevelUpdateLog.open`. */
export const openDb = async (dir: string, upgrade: boolean): Promise<Db> => {
  await makeDir(dir)
  await inspect(dir)
  const db: Db = new Level(dir, { keyEncoding: 'utf8', valueEncoding: sealedValues })
  try {
    await db.open()
    await bringToFormat(db, upgrade)
  } catch (error) {
    await db.close()
    throw damageOf(error) ?? error
  }
  return db
}

/** Closes a database and opens it again; leaves it closed if that fails. */
export const reopenDb = async (db: Db): Promise<void> => {
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
