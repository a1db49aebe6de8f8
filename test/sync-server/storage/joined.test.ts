import { Level } from 'level'
import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import { verifyFolder } from '../../../sync-server/ops/verify/verify.ts'
import { seal } from '../../../sync-server/storage/integrity/checksummed.ts'
import { joinedAfter } from '../../../sync-server/storage/joined/tail.ts'
import { recordKey } from '../../../sync-server/storage/level-record-log.ts'
import { LevelUpdateLog } from '../../../sync-server/storage/level-update-log.ts'
import type { Joined } from '../../../sync-server/storage/update-log.ts'
import { initWorkspace } from '../../../workspace/document/schema.ts'
import { until } from '../../support/client.ts'
import { tempDir } from '../../support/server.ts'
import { appendAll, LONG, longTail, stateOf } from '../../support/sync-server/long-tails.ts'

const open = (place: string) => LevelUpdateLog.open(place, () => 1_700_000_000_000)
const UPDATES = longTail(LONG)
/** An update without operations. */
const NOTHING = Uint8Array.of(0, 0)

/** A folder in which workspace `w` has a long tail. */
const withLongTail = async (): Promise<string> => {
  const place = tempDir('joined')
  const log = await open(place)
  await appendAll(log, 'w', UPDATES)
  await log.close()
  return place
}

const joinedIn = async (place: string, workspace = 'w'): Promise<Joined> => {
  const log = await open(place)
  return log.loadJoined(workspace).finally(() => log.close())
}

/** Changes the database as damage or another program would. */
const alter = async (
  place: string,
  change: (db: Level<string, Uint8Array>, keys: string[]) => Promise<void>,
): Promise<void> => {
  const db = new Level<string, Uint8Array>(place, { valueEncoding: 'view' })
  await change(db, await db.keys({ gte: 'z:', lt: 'z;' }).all())
  await db.close()
}

describe('a long tail', () => {
  it('[DUR-9] is read joined after a start, with the same content and fewer reads', async () => {
    const place = await withLongTail()
    const log = await open(place)
    const [single, joined] = [await log.load('w'), await log.loadJoined('w')]
    await log.close()
    expect(single.tail).toHaveLength(LONG)
    expect([joined.single, joined.tail.length, joined.seq]).toEqual([null, 1, single.seq])
    expect(stateOf(joined)).toEqual(stateOf(single))
  })

  it('[DUR-9] has its beginning joined, too, also what another process wrote of it', async () => {
    const place = tempDir('early')
    const first = await open(place)
    await appendAll(first, 'w', UPDATES.slice(0, 1_024))
    await first.close()
    const log = await open(place)
    await appendAll(log, 'w', UPDATES.slice(1_024))
    await until('it is joined and stored', async () => {
      await log.append('w', [NOTHING])
      const [oldest] = await joinedAfter(log.derived.db, 'w', 0, recordKey, {})
      return oldest?.from === 1
    })
    const { tail } = await log.load('w')
    const groups = await joinedAfter(log.derived.db, 'w', 0, recordKey, {})
    const gaps = groups.filter(({ from }, n) => n > 0 && from !== groups[n - 1]!.to + 1)
    expect(gaps).toEqual([])
    const joined = await log.loadJoined('w')
    expect(stateOf(joined)).toEqual(stateOf({ checkpoint: null, tail }))
    await log.close()
  })

  it('[DUR-9] that is short has nothing joined', async () => {
    const place = tempDir('short')
    const log = await open(place)
    await appendAll(log, 'w', UPDATES.slice(0, 1_900))
    expect((await log.loadJoined('w')).single).toHaveLength(1_900)
    await log.close()
    await alter(place, async (_, keys) => expect(keys).toEqual([]))
  })

  it('[DUR-9] loses what is joined of it with the checkpoint, and goes on', async () => {
    const place = await withLongTail()
    const log = await open(place)
    const { seq, tail } = await log.load('w')
    await log.compact('w', seq, stateOf({ checkpoint: null, tail }).update)
    await log.append('w', [NOTHING])
    const { single, checkpoint } = await log.loadJoined('w')
    expect([single?.length, checkpoint === null]).toEqual([1, false])
    await log.close()
    await alter(place, async (_, keys) => expect(keys).toEqual([]))
  })

  it('[DUR-9] of which a checkpoint covers a part has the later records single', async () => {
    const place = await withLongTail()
    const log = await open(place)
    const { tail } = await log.load('w')
    const covered = 10
    const before = { checkpoint: null, tail: tail.slice(0, covered * 256) }
    await log.compact('w', covered, stateOf(before).update)
    const [single, joined] = [await log.load('w'), await log.loadJoined('w')]
    expect(joined.tail.length).toBeLessThan(single.tail.length)
    expect(stateOf(joined)).toEqual(stateOf(single))
    await log.close()
  })
})

describe('joined records that cannot be used cost only time', () => {
  const changes: Record<string, Parameters<typeof alter>[1]> = {
    missing: (db, keys) => db.del(keys[0]!),
    damaged: async (db, keys) => {
      const value = Buffer.from((await db.get(keys[1]!))!)
      value[40]! ^= 1
      await db.put(keys[1]!, value)
    },
    'of a newer format': (db, keys) => db.put(keys[0]!, seal(Uint8Array.of(99))),
    'of another log': async (db, keys) => {
      // As if the records were others: the digest of the last one, after 1, the first one's seq and 32.
      const value = Buffer.from((await db.get(keys.at(-1)!))!.subarray(4))
      value[4]! ^= 1
      await db.put(keys.at(-1)!, seal(value))
    },
    'of records that another one has, too': async (db, keys) =>
      db.put(`${keys[0]!.slice(0, -1)}f`, (await db.get(keys[0]!))!),
    malformed: async (db, keys) => {
      const value = (await db.get(keys[0]!))!.subarray(4)
      await db.put(keys[0]!, seal(value.subarray(0, value.length - 400)))
    },
  }
  it.each(Object.keys(changes))('[DUR-9] %s', async (name) => {
    const place = await withLongTail()
    await alter(place, changes[name]!)
    const joined = await joinedIn(place)
    expect(stateOf(joined)).toEqual(stateOf({ checkpoint: null, tail: UPDATES }))
  })

  it('[DUR-9] `verify` finds those that differ from their records', async () => {
    const place = tempDir('verified')
    const doc = new Y.Doc()
    initWorkspace(doc, 'w', 0)
    const log = await open(place)
    await log.append('w', [Y.encodeStateAsUpdate(doc)])
    const notes = doc.getText('notes')
    const updates: Uint8Array[] = []
    doc.on('update', (update: Uint8Array) => updates.push(update))
    for (let i = 0; i < LONG; i++) notes.insert(0, 'aaaa')
    await appendAll(log, 'w', updates)
    await log.close()
    const told = async () =>
      (await verifyFolder(place)).problems.filter(({ where }) => where.endsWith('joined records'))
    expect(await told()).toEqual([])
    await alter(place, async (db, keys) => {
      const value = Buffer.from((await db.get(keys.at(-1)!))!.subarray(4))
      value[value.lastIndexOf('aaaa')] = 98
      await db.put(keys.at(-1)!, seal(value))
    })
    expect((await told()).map(({ what }) => what)).toEqual(['they differ from the records'])
  })
})
