import { expect, it } from 'vitest'
import { digestOf, linkedAll } from '../../../lib/hash-chain.ts'
import { baseHead, type Head, splitRecord } from '../../../sync-server/storage/chain.ts'
import { LevelUpdateLog } from '../../../sync-server/storage/level-update-log.ts'
import { tempDir } from '../../support/server.ts'

const bytes = (...values: number[]) => new Uint8Array(values)
const hex = (bytes: Uint8Array | null) => Buffer.from(bytes ?? []).toString('hex')
const shown = (found: Head | null) => ({ seq: found!.seq, head: hex(found!.head) })
const open = (place: string) => LevelUpdateLog.open(place, () => 1_700_000_000_000)

const collect = async <T>(items: AsyncIterable<T>): Promise<T[]> => {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}

/** What is on disk of a workspace: positions of records and of checkpoints. */
const onDisk = async ({ record }: LevelUpdateLog) => ({
  records: (await collect(record.records('w'))).map(({ seq }) => seq),
  checkpoints: (await record.checkpoints('w')).map(({ seq }) => seq),
})

it('[RECORD-3] what a checkpoint replaced stays until a client got a head that binds it', async () => {
  const place = tempDir('record')
  const log = await open(place)
  for (let i = 1; i <= 3; i++) await log.append('w', [bytes(i)])
  await log.compact('w', 3, bytes(30))
  log.record.handOut('w')
  expect(await onDisk(log)).toEqual({ records: [1, 2, 3], checkpoints: [3] })
  await log.append('w', [bytes(4)])
  const [fourth] = (await collect(log.record.records('w'))).slice(-1)
  const [folded] = await collect(log.record.entries('w'))
  expect(hex(splitRecord(fourth!.value).binds)).toBe(hex(digestOf(folded!.value)))
  const [checkpoint] = await log.record.checkpoints('w')
  expect(folded!.entry).toMatchObject({ kind: 'folded', seq: 3, from: 0 })
  expect(hex(folded!.entry.checkpoint)).toBe(hex(digestOf(checkpoint!.value)))
  log.record.handOut('w')
  await log.record.settled()
  expect(await onDisk(log)).toEqual({ records: [4], checkpoints: [3] })

  await log.append('w', [bytes(5)])
  await log.compact('w', 5, bytes(50))
  expect(await onDisk(log)).toEqual({ records: [4, 5], checkpoints: [3, 5] })
  await log.close()
  const again = await open(place)
  expect(await again.load('w')).toMatchObject({ seq: 5, tail: [], checkpoint: bytes(50) })
  await again.append('w', [bytes(6)])
  expect(await onDisk(again)).toEqual({ records: [4, 5, 6], checkpoints: [3, 5] })
  again.record.handOut('w')
  await again.record.settled()
  expect(await onDisk(again)).toEqual({ records: [6], checkpoints: [5] })
  await again.close()
})

it('[RECORD-3] without a client that keeps heads, the next checkpoint takes its place', async () => {
  const log = await open(tempDir('record'))
  for (let i = 1; i <= 9; i++) {
    await log.append('w', [bytes(i)])
    if (i % 3 === 0) await log.compact('w', i, bytes(i))
  }
  expect(await onDisk(log)).toEqual({ records: [7, 8, 9], checkpoints: [6, 9] })
  await log.compact('w', 9, bytes(10), 'repaired')
  expect(await onDisk(log)).toEqual({ records: [], checkpoints: [9] })
  expect((await log.load('w')).checkpoint).toEqual(bytes(10))
  const kinds = (await collect(log.record.entries('w'))).map(({ entry }) => entry.kind)
  expect(kinds).toEqual(['folded', 'folded', 'folded', 'repaired'])
  await log.close()
})

it('[RECORD-3] a checkpoint during appends folds what it covers, and no more', async () => {
  const place = tempDir('record')
  const log = await open(place)
  await log.append('w', [bytes(0)])
  const pending = [1, 2, 3].map((i) => log.append('w', [bytes(i)]))
  await Promise.all([log.compact('w', 1, bytes(10)), ...pending])
  await Promise.all([log.append('w', [bytes(4)]), log.compact('w', 4, bytes(40))])
  await log.append('w', [bytes(5)])
  const newest = shown(log.record.handOut('w'))
  expect(newest.seq).toBe(6)
  const digests = await log.record.digests('w', 0, 99)
  expect(hex(linkedAll((await log.record.headAt('w', 0))!, digests))).toBe(newest.head)
  await log.close()
  const again = await open(place)
  expect(await again.load('w')).toMatchObject({ seq: 6, checkpoint: bytes(40) })
  await again.record.open('w')
  expect(shown(again.record.handOut('w'))).toEqual(newest)
  await again.close()
})

it('[RECORD-4] a log without a chain begins one at its checkpoint, and keeps it', async () => {
  const place = tempDir('record')
  const log = await open(place)
  for (let i = 1; i <= 3; i++) await log.append('w', [bytes(i)])
  await log.compact('w', 2, bytes(20))
  await log.close()
  await forgetChain(place)
  const upgraded = await open(place)
  await upgraded.record.open('w')
  const first = shown(upgraded.record.handOut('w'))
  const [checkpoint] = await upgraded.record.checkpoints('w')
  const [third] = (await collect(upgraded.record.records('w'))).slice(-1)
  const base = baseHead('w', digestOf(checkpoint!.value))
  expect(first).toEqual({ seq: 3, head: hex(linkedAll(base, [digestOf(third!.value)])) })
  await upgraded.append('w', [bytes(4)])
  await upgraded.close()
  const again = await open(place)
  expect(hex(await again.record.headAt('w', 3))).toBe(first.head)
  expect(await again.record.headAt('w', 1)).toBeNull()
  expect((await collect(again.record.entries('w'))).map(({ entry }) => entry.kind)).toEqual([
    'base',
  ])
  await again.close()
})

/** Removes all entries, and the records before the checkpoint: a log as a version without a chain left it. */
const forgetChain = async (place: string): Promise<void> => {
  const { Level } = await import('level')
  const db = new Level(place)
  await db.open()
  await db.clear({ gt: 'x:', lt: 'x;' })
  await db.clear({ gt: 'u:w:', lte: `u:w:${'2'.padStart(13, '0')}` })
  await db.close()
}
