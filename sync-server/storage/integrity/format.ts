import { seal, unsealed } from './checksummed.ts'
import { Corruption, Newer, Older } from './corruption.ts'
import type { Db } from './db.ts'
import type { Op } from './level-keys.ts'

/**
 * Format of the database. 1: values as they are (versions before `f:` was written). 2: sealed values, and `f:`. 3: invites
 * and audit entries by workspace. Formats of single values are theirs; layouts of documents are
 * workspace/document/schema.ts.
 */
export const FORMAT = 3
const SEALED = 2

/** It is there in every database. */
export const FORMAT_KEY = 'f:'
/** Bytes of values that one step of the upgrade to format 2 rewrites. */
const STEP_BYTES = 1024 * 1024
const RAW = { valueEncoding: 'view' } as const
/**
 * Values inspected to tell an unmarked database of format 1 from one that lost its mark (count).
 */
const SAMPLE = 32

interface Mark {
  format: number
  /** During the upgrade from format 1: all values up to this key are sealed. */
  sealedUpTo?: string
}

const putMark = (mark: Mark) => ({
  type: 'put' as const,
  key: FORMAT_KEY,
  value: seal(Buffer.from(JSON.stringify(mark))),
})

const storedMark = async (db: Db): Promise<Mark | null> => {
  const value = await db.get(FORMAT_KEY, RAW)
  if (value === undefined) return null
  const text = unsealed(value)
  if (text === null) throw new Corruption('the format', 'its checksum is wrong')
  return JSON.parse(Buffer.from(text).toString()) as Mark
}

/** The database's format; null if it is empty. Throws Corruption. */
const readMark = async (db: Db): Promise<Mark | null> => {
  const mark = await storedMark(db)
  if (mark !== null) return mark
  const some = await db.values({ ...RAW, limit: SAMPLE }).all()
  if (some.length === 0) return null
  // Another node may have begun the database between the two reads.
  const late = await storedMark(db)
  if (late !== null) return late
  if (some.some((value) => unsealed(value) !== null))
    throw new Corruption('the format', 'it is missing')
  return { format: 1 }
}

/** Marks a database durably as of this format. */
export const putFormat = (db: Db): Promise<void> =>
  db.batch([putMark({ format: FORMAT })], { ...RAW, sync: true })

/**
 * Upgrades a database to this format, also after a crash during an upgrade. Throws Newer,
 * Corruption, Older.
 */
export const bringToFormat = async (db: Db, upgrade: boolean): Promise<void> => {
  const mark = await readMark(db)
  if (mark === null) return putFormat(db)
  if (mark.format === FORMAT) return
  if (mark.format > FORMAT || !upgrade) throw otherFormat(mark.format)
  if (mark.format < SEALED) await sealAll(db, mark.sealedUpTo ?? '')
  await moveByWorkspace(db)
}

/** Throws unless the database has this format. Throws Newer, Older, Corruption. */
export const checkFormat = async (db: Db): Promise<void> => {
  const mark = await readMark(db)
  if (mark !== null && mark.format !== FORMAT) throw otherFormat(mark.format)
}

const otherFormat = (format: number): Error =>
  format > FORMAT
    ? new Newer(`it has format ${format}; this version knows formats 1 to ${FORMAT}`)
    : new Older(`it has format ${format}; this version writes ${FORMAT}`)

/**
 * A step is one durable batch that includes its position, so that a kill loses no value and seals
 * none twice.
 */
const sealAll = async (db: Db, from: string): Promise<void> => {
  let after = from
  for (;;) {
    const ops: { type: 'put' | 'del'; key: string; value: Uint8Array }[] = []
    let bytes = 0
    for await (const [key, value] of db.iterator({ ...RAW, gt: after })) {
      after = key
      if (key === FORMAT_KEY) continue
      // A crash of an earlier version could leave a workspace's name without records.
      const isName = key.startsWith('w:') && !(await hasRecords(db, key.slice(2)))
      ops.push({ type: isName ? 'del' : 'put', key, value: seal(value) })
      bytes += value.length
      if (bytes >= STEP_BYTES) break
    }
    const isLast = bytes < STEP_BYTES
    const mark: Mark = isLast ? { format: SEALED } : { format: 1, sealedUpTo: after }
    await db.batch([...ops, putMark(mark)], { ...RAW, sync: true })
    if (isLast) return
  }
}

/**
 * Format 2 had `j:<id>` and `l:<seq>`, with the workspace in the value. One durable batch, so that a kill leaves one format
 * or the other.
 */
const moveByWorkspace = async (db: Db): Promise<void> => {
  const ops: Op[] = []
  for (const kind of ['j:', 'l:']) {
    for await (const [key, sealed] of db.iterator({ ...RAW, gte: kind, lt: `${kind}\uffff` })) {
      if (key.includes('/')) continue
      const value = unsealed(sealed)
      if (value === null) throw new Corruption(key, 'its checksum is wrong')
      const { workspace } = JSON.parse(Buffer.from(value).toString()) as {
        workspace: string | null
      }
      const moved = `${kind}${workspace ?? ''}/${key.slice(kind.length)}`
      ops.push({ type: 'del', key }, { type: 'put', key: moved, value: sealed })
    }
  }
  await db.batch([...ops, putMark({ format: FORMAT })], { ...RAW, sync: true })
}

const hasRecords = async (db: Db, workspace: string): Promise<boolean> => {
  if ((await db.get(`s:${workspace}`, RAW)) !== undefined) return true
  const range = { gt: `u:${workspace}:`, lt: `u:${workspace};`, limit: 1 }
  return (await db.keys(range).all()).length > 0
}
