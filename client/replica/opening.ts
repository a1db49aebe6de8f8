import { readdir, rename, stat } from 'node:fs/promises'
import { hostname } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { Level } from 'level'
import * as Y from 'yjs'
import { makeOwnDir } from '../../lib/disk/own-file.ts'
import { randomHex } from '../../lib/random.ts'
import { ClawError } from '../../protocol/errors.ts'
import type { Json } from '../../workspace/document/schema.ts'
import { FileNews } from '../../workspace/inbox/unread.ts'
import {
  type Cursor,
  type Database,
  entry,
  type Lease,
  nextOf,
  putJson,
  range,
  readJson,
  type StoredMessage,
} from './stored.ts'

/**
 * Interval of attempts to open a replica that another process of this profile has, in milliseconds.
 */
const LOCK_RETRY_MS = 20

/** A replica's database, locked by this process, with the records read from it. */
export interface Opened {
  db: Database
  doc: Y.Doc
  lease: Lease
  cursor: Cursor | null
  records: Map<string, Json>
  /** The unread news of files. */
  files: FileNews
  /** Numbers of the next log entry, message and command. */
  next: number
  nextMessage: number
  nextCommand: number
  logBytes: number
  checkpointBytes: number
}

/**
 * Opens the database in `dir`, creating it if need be; waits at most `waitMs` for another process that has it. Throws
 * `busy`, `data_unusable`. A damaged one is moved aside, `warn` says where, and a fresh one takes its place.
 */
export const openDatabase = async (
  dir: string,
  warn: (line: string) => void,
  waitMs: number,
): Promise<Opened> => {
  makeOwnDir(dir)
  const deadline = Date.now() + waitMs
  try {
    return await openIn(dir, deadline, false)
  } catch (error) {
    if (!(error instanceof Unopenable)) throw error
  }
  // Creating and moving aside are for one process at a time, and nobody else may be at it halfway: in a folder of
  // its own there is a lock for that.
  const setup = await openLocked(`${dir}.setup`, deadline, true)
  try {
    return await openIn(dir, deadline, false)
  } catch (error) {
    if (!(error instanceof Unopenable)) throw error
    if (error.isDamage || (await readdir(dir)).some((file) => file.startsWith('MANIFEST'))) {
      const aside = `${dir}.damaged-${randomHex(4)}`
      await rename(dir, aside)
      warn(`the local replica was damaged; kept as ${aside}, starting with a fresh one`)
      makeOwnDir(dir)
    }
    return await openIn(dir, deadline, true)
  } finally {
    await setup.close()
  }
}

const openIn = async (dir: string, deadline: number, create: boolean): Promise<Opened> => {
  const db = await openLocked(dir, deadline, create)
  try {
    return { db, ...(await load(db, dir)) }
  } catch (cause) {
    await db.close()
    throw isDamage(cause) ? new Unopenable(true, cause) : unusable(dir, cause)
  }
}

/** The replica does not exist yet, or cannot be read. */
class Unopenable extends Error {
  readonly isDamage: boolean

  constructor(isDamage: boolean, cause: unknown) {
    super('no usable replica', { cause })
    this.isDamage = isDamage
  }
}

const load = async (db: Database, dir: string): Promise<Omit<Opened, 'db'>> => {
  const [storedLease, checkpoint, cursor] = await db.getMany(['lease', 'checkpoint', 'cursor'])
  const leased = readJson<Lease>(storedLease)
  const first = leased?.first ?? 0
  const log = await db.iterator(range('u:')).all()
  log.forEach(([key], i) => {
    if (key !== entry('u:', first + i)) throw new Error(`corrupt: no log entry ${first + i}`)
  })

  const doc = new Y.Doc()
  const place = `${hostname()}:${(await stat(dir)).ino}`
  const clientId = leased?.place === place ? leased.clientId : doc.clientID
  try {
    doc.transact(() => {
      if (checkpoint !== undefined) Y.applyUpdate(doc, checkpoint)
      for (const [, update] of log) Y.applyUpdate(doc, update)
    })
  } catch (cause) {
    throw new Error('corrupt: the log does not decode', { cause })
  }
  doc.clientID = clientId
  const lease = { clientId, place, first }
  if (clientId !== leased?.clientId) await db.batch([putJson('lease', lease)], { sync: true })

  const records = await db.iterator(range('r:')).all()
  const known = readJson<Cursor>(cursor)
  return {
    doc,
    lease,
    cursor: known,
    files: await fileNews(db, known?.agent),
    records: new Map(records.map(([key, value]) => [key.slice(2), readJson<Json>(value)])),
    next: first + log.length,
    nextMessage: await nextOf(db, 'm:'),
    nextCommand: await nextOf(db, 'c:'),
    logBytes: log.reduce((sum, [, update]) => sum + update.length, 0),
    checkpointBytes: checkpoint?.length ?? 0,
  }
}

const fileNews = async (db: Database, agent: string | undefined): Promise<FileNews> => {
  const files = new FileNews()
  for await (const [key, value] of db.iterator(range('m:'))) {
    if (!Buffer.from(value).includes('"type":"file')) continue // most are something else, and need not be parsed
    const stored = readJson<StoredMessage>(value)
    if (stored?.agent === agent) files.add(key, stored!.message, stored!.since)
  }
  return files
}

/** Opens the database once no other process has it. Throws `Unopenable`, `busy`, `data_unusable`. */
const openLocked = async (dir: string, deadline: number, create: boolean): Promise<Database> => {
  const db = new Level<string, Uint8Array>(dir, { valueEncoding: 'view' })
  for (; ; await sleep(LOCK_RETRY_MS)) {
    try {
      await db.open({ createIfMissing: create })
      return db
    } catch (error) {
      const cause = (error as Error).cause as (Error & { code?: string }) | undefined
      if (cause?.code !== 'LEVEL_LOCKED') {
        const isMissing = cause?.message.includes('does not exist') === true
        throw isMissing || isDamage(cause)
          ? new Unopenable(!isMissing, cause)
          : unusable(dir, cause ?? error)
      }
      if (Date.now() < deadline) continue
      throw new ClawError(
        'busy',
        'another command of this profile has had its replica for too long',
        'try again, or use another profile (--as NAME)',
      )
    }
  }
}

const isDamage = (cause: unknown): boolean =>
  cause instanceof Error &&
  ((cause as { code?: string }).code === 'LEVEL_CORRUPTION' ||
    /corrupt|no such file/i.test(cause.message) ||
    cause instanceof SyntaxError)

/** The database cannot be read or written. */
export const unusable = (dir: string, cause: unknown): ClawError => {
  const error = new ClawError(
    'data_unusable',
    `cannot use the local replica: ${cause instanceof Error ? cause.message : String(cause)}`,
    `check the disk and the permissions of ${dir}`,
  )
  error.cause = cause
  return error
}
