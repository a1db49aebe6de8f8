import { expect, it } from 'vitest'
import { textDelta } from '../../../lib/merge/text-delta.ts'
import type { FileId, FileKey } from '../../../protocol/ids.ts'
import { TextCache } from '../../../sync-server/history/versions/cache.ts'
import { readHead } from '../../../sync-server/history/versions/record.ts'
import { type Taken, writeVersions } from '../../../sync-server/history/versions/write.ts'
import { type Db, type Range, Unavailable } from '../../../sync-server/storage/integrity/db.ts'
import { openLevel } from '../../../sync-server/storage/integrity/open.ts'
import { LevelUpdateLog } from '../../../sync-server/storage/level-update-log.ts'
import { tempDir } from '../../support/server.ts'

const bytes = (...values: number[]): Uint8Array => new Uint8Array(values)

/** A walk that has come to wait. */
interface Held {
  reached: Promise<void>
  go: () => void
}

/** The next walk through keys after this prefix waits until it may go. */
const holdNext = (db: Db, prefix: string): Held => {
  const walk = db.iterator.bind(db)
  let [reach, go] = [(): void => {}, (): void => {}]
  const reached = new Promise<void>((resolve) => {
    reach = resolve
  })
  const free = new Promise<void>((resolve) => {
    go = resolve
  })
  db.iterator = (range: Range = {}) => {
    if (!range.gt?.startsWith(prefix)) return walk(range)
    db.iterator = walk
    reach()
    const later = async function* () {
      await free
      yield* walk(range)
    }
    return { [Symbol.asyncIterator]: later, all: () => free.then(() => walk(range).all()) }
  }
  return { reached, go }
}

const open = async () => {
  const store = await openLevel(tempDir('anew'))
  const log = await LevelUpdateLog.on(store, Date.now)
  await log.append('w', [bytes(1)])
  await log.append('w', [bytes(2)])
  await log.recover()
  return { log, db: store.db }
}
const thrown = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => null,
    (error: unknown) => error,
  )
const storedIn = async (log: LevelUpdateLog) => (await log.load('w')).tail.map(([value]) => value)

it('[DUR-8] a record that was to be written when the log was read anew is not stored', async () => {
  const { log, db } = await open()
  const { reached, go } = holdNext(db, 'm:w:n')
  const late = thrown(log.append('w', [bytes(3)]))
  await reached
  await log.recover()
  // Whoever reads now does not know of the late one, and is sent the same update again.
  expect(await storedIn(log)).toEqual([1, 2])
  go()
  expect(await late).toBeInstanceOf(Unavailable)
  expect(await log.append('w', [bytes(3)])).toBe(3)
  expect(await storedIn(log)).toEqual([1, 2, 3])
  await log.close()
})

it('[DUR-8] neither is a checkpoint, and the authors are folded once', async () => {
  const { log, db } = await open()
  const { reached, go } = holdNext(db, 'm:w:n')
  await log.record.open('w')
  const late = thrown(log.compact('w', 2, bytes(9)))
  await reached
  await log.recover()
  await log.append('w', [bytes(3)])
  await log.compact('w', 3, bytes(8))
  go()
  expect(await late).toBeInstanceOf(Unavailable)
  expect(await log.load('w')).toEqual({ checkpoint: bytes(8), tail: [], seq: 3 })
  await log.close()
})

it('[DUR-8] neither is a version of a file: a newer one would be forgotten', async () => {
  const { log } = await open()
  const cache = new TextCache(0)
  const pinned = async () => new Set<number>()
  const taken = (version: number, content: string): Taken => {
    const path = 'f' as FileKey
    return { state: { fileId: 'f' as FileId, version, path, content, editors: [] }, at: 1 }
  }
  let [reach, go] = [(): void => {}, (): void => {}]
  const reached = new Promise<void>((resolve) => {
    reach = resolve
  })
  const free = new Promise<void>((resolve) => {
    go = resolve
  })
  const delta = async (from: string, to: string) => {
    reach()
    await free
    return textDelta(from, to)
  }
  const writing = { delta, pinned }
  const late = thrown(writeVersions(log.versions, 'w', [taken(1, 'one')], cache, writing))
  await reached
  await log.recover()
  const newer = [taken(1, 'one'), taken(2, 'two')]
  await writeVersions(log.versions, 'w', newer, cache)
  go()
  expect(await late).toBeInstanceOf(Unavailable)
  expect(readHead((await log.versions.head('w', 'f'))!)).toMatchObject({ version: 2, count: 2 })
  await log.close()
})
