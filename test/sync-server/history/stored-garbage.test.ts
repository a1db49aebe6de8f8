import fc from 'fast-check'
import * as decoding from 'lib0/decoding'
import { expect, it } from 'vitest'
import {
  decodeDeletes,
  decodeInserts,
  decodeTexts,
  encodeRuns,
  encodeTexts,
} from '../../../lib/attribution/chunks.ts'
import { NameTable, readNames } from '../../../lib/attribution/names.ts'
import type { FileId } from '../../../protocol/ids.ts'
import { putUndo, readUndos } from '../../../sync-server/history/attribution/undos.ts'
import { Checkpoints } from '../../../sync-server/history/checkpoints/store.ts'
import { checkFact } from '../../../sync-server/ops/verify/verify-facts.ts'
import { decodeEntry } from '../../../sync-server/storage/chain.ts'
import { LevelUpdateLog } from '../../../sync-server/storage/level-update-log.ts'
import { decodeRecord, encodeRecord } from '../../../sync-server/storage/log-record.ts'
import type { UndoRecord } from '../../../workspace/authorship/undo-history.ts'
import { showArchivedSuggestion } from '../../../workspace/suggestions/archive.ts'
import { tempDir } from '../../support/server.ts'

const utf8 = new TextEncoder()
const NOW = 1_700_000_000_000
const file = 'a file' as FileId
const undo: UndoRecord = {
  ...{ id: 'u-1', by: 'ann', at: NOW, task: null, inserts: [], undos: [] },
  ...{ deletions: [{ client: 1, clock: 0, length: 2 }], deletes: [] },
  copies: [{ client: 2, clock: 5, length: 2, ofClient: 1, ofClock: 0 }],
}
const described = { name: 'one', note: '', by: 'ann', at: NOW, files: 1, key: null }

const NO_TEXT = [undefined, null, 1, {}, []]
const NO_LIST = [undefined, null, {}, 'text', [[]], [[1]], [[1, 2, 3.5]], [['1', 2, 3]], [null]]
const FAULTS: Readonly<Record<string, readonly unknown[]>> = {
  ...{ id: NO_TEXT, by: NO_TEXT, at: [undefined, null, 'now', -1, 1.5, 1e300], task: [1, {}, []] },
  ...{ inserts: NO_LIST, deletions: NO_LIST, deletes: NO_LIST, undos: NO_LIST },
  copies: [...NO_LIST, [[1, 2, 3]], [[1, 2, 0, 4, 5]]],
}

const GARBAGE: readonly unknown[] = [null, 1, 'text', [], {}, [null], [[]], [1, 2], { id: 1 }]

const openLog = () => LevelUpdateLog.open(tempDir('garbage'), () => NOW)

it('[UNDO-10] a stored undo of any wrong shape costs itself; the others are read, and no number is given twice', async () => {
  const log = await openLog()
  const stored = JSON.parse(new TextDecoder().decode(putUndo('w', file, 0, undo).value)) as object
  const faults = Object.entries(FAULTS).flatMap(([name, bad]) =>
    bad.map((value) => ({ ...stored, [name]: value })),
  )
  const values = [...GARBAGE, ...faults].map((one) => utf8.encode(JSON.stringify(one) ?? 'null'))
  values.push(utf8.encode('{"id":'), new Uint8Array([0xff, 0xfe]), new Uint8Array())
  const puts = values.map((value, i) => ({ ...putUndo('w', file, i + 1, undo), value }))
  const last = { ...undo, id: 'u-2' }
  await log.facts.put([
    ...[putUndo('w', file, 0, undo), ...puts],
    putUndo('w', file, puts.length + 1, last),
    { type: 'put', key: 'y:w:%E0%A4%A:0000000000001', value: utf8.encode('{}') },
    { type: 'put', key: 'y:w:', value: utf8.encode('{}') },
  ])
  const read = await readUndos(log.facts, 'w')
  expect([...read.keys()]).toEqual([file])
  expect(read.get(file)).toEqual({ records: [undo, last], next: puts.length + 2 })
  await log.close()
})

it('[TIME-9] a stored checkpoint of any wrong shape costs itself, and can be made anew', async () => {
  const log = await openLog()
  const [good, bad] = [described, { ...described, name: 'bad' }]
  const put = (key: string, json: unknown) => ({
    ...({ type: 'put', key } as const),
    value: utf8.encode(JSON.stringify(json)),
  })
  const files = [[0, 'a.md', 1]]
  for (const garbage of [...GARBAGE, { ...bad, at: 1e300 }, { ...bad, name: 3 }]) {
    await log.facts.put([
      ...[put('t:w/i:one', good), put('t:w/f:one', files)],
      ...[put('t:w/i:bad', garbage), put('t:w/f:bad', files)],
    ])
    const checkpoints = new Checkpoints(log.facts)
    expect((await checkpoints.list('w')).map(({ name }) => name)).toEqual(['one'])
    await expect(checkpoints.get('w', 'bad')).rejects.toMatchObject({ code: 'unknown_checkpoint' })
    expect([...(await checkpoints.pinned('w', 'a.md'))]).toEqual([1])
  }
  for (const garbage of GARBAGE.filter((one) => !(Array.isArray(one) && one.length === 0))) {
    await log.facts.put([put('t:w/i:bad', bad), put('t:w/f:bad', garbage)])
    const checkpoints = new Checkpoints(log.facts)
    expect((await checkpoints.get('w', 'one')).of).toHaveLength(1)
    await expect(checkpoints.get('w', 'bad')).rejects.toMatchObject({ code: 'unknown_checkpoint' })
    expect([...(await checkpoints.pinned('w', 'a.md'))]).toEqual([1])
  }
  await log.facts.put([
    put('t:w/i:bad', 7),
    { type: 'put', key: 't:w/f:bad', value: utf8.encode('{') },
  ])
  const checkpoints = new Checkpoints(log.facts)
  await checkpoints.add('w', { name: 'bad', note: '', by: 'ann', at: NOW, key: null, files: [] })
  expect((await checkpoints.list('w')).map(({ name }) => name).sort()).toEqual(['bad', 'one'])
  await log.close()
})

it('a stored suggestion of a wrong shape is none; verify names each kind', () => {
  for (const garbage of GARBAGE) {
    expect(showArchivedSuggestion(garbage)).toBeNull()
    expect(() => checkFact('g:w/~suggestions/e:0000000000001', garbage)).toThrow('a suggestion')
    expect(() => checkFact('y:w:f:0000000000001', garbage)).toThrow('an undo')
    expect(() => checkFact('t:w/i:one', garbage)).toThrow('a checkpoint')
  }
  expect(() => checkFact('t:w/f:one', {})).toThrow('a list of files')
  expect(() => checkFact('t:w/i:one', described)).not.toThrow()
})

const names = new NameTable()
const run = { client: 1, clock: 4, length: 3, at: NOW, task: 't-1', via: null, by: 'ann' }
const record = {
  ...{ at: NOW, updates: [new Uint8Array([0, 0])] },
  credits: [{ by: 'ann', task: 't-1', via: null, news: { inserts: [run], deletes: [] } }],
  deleted: [{ root: 'file:a', client: 1, clock: 4, text: 'gone' }],
}
/** One with a deletion of what another had just deleted. */
const together = {
  ...record,
  credits: record.credits.map((credit) => ({ ...credit, again: [run] })),
}
const LATEST_MS = 8.64e15

it('[BLAME-13] to a record of an earlier version, deletions at the same time are a section at its end', () => {
  const before = encodeRecord(record, new NameTable())
  const bytes = encodeRecord(together, new NameTable())
  expect([...bytes.subarray(0, before.length)]).toEqual([...before])
  const read = (of: Uint8Array) => decodeRecord(of, new NameTable())
  expect(read(before).credits[0]).not.toHaveProperty('again')
  expect(read(bytes).credits[0]!.again).toEqual([{ client: 1, clock: 4, length: 3 }])
  const unknown = new Uint8Array([...bytes, 99, 2, 7, 7])
  expect(read(unknown)).toEqual(read(bytes))
})

/** Decoders of what the log holds of authors: valid bytes, and the times and ranges in what they read. */
const DECODERS: { bytes: Uint8Array; read: (bytes: Uint8Array) => number[] }[] = [
  {
    bytes: encodeRuns([run, { ...run, clock: 9, by: 'bob' }], names),
    read: (bytes) => decodeDeletes(bytes, 1, names).flatMap(({ at, clock }) => [at, clock]),
  },
  {
    bytes: encodeRuns([run, { ...run, clock: 2 }], names),
    read: (bytes) => decodeInserts(bytes, 1, names).flatMap(({ at, clock }) => [at, clock]),
  },
  {
    bytes: encodeTexts([{ client: 1, clock: 4, text: 'gone' }]),
    read: (bytes) => decodeTexts(bytes).map(({ clock }) => clock),
  },
  {
    bytes: encodeRecord(record, new NameTable()),
    read: (bytes) => [decodeRecord(bytes, new NameTable()).at],
  },
  {
    bytes: encodeRecord(together, new NameTable()),
    read: (bytes) => {
      const { at, credits } = decodeRecord(bytes, new NameTable())
      return [at, ...credits.flatMap(({ again }) => again?.map(({ clock }) => clock) ?? [])]
    },
  },
  {
    bytes: new Uint8Array([2, 1, 1, 97, 1, 98]),
    read: (bytes) => {
      const table = new NameTable()
      readNames(decoding.createDecoder(bytes), table)
      table.numberOf('one more')
      return [table.from(1).length]
    },
  },
  { bytes: new Uint8Array([1, 0, 1, 1, 0, 0]), read: (bytes) => [decodeEntry(bytes).at] },
]

it('authors of any bytes are read, or an error: in time, with times that can be shown', () => {
  const changed = (bytes: Uint8Array) =>
    fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc
        .array(fc.tuple(fc.nat(bytes.length), fc.integer({ min: 0, max: 255 })), { maxLength: 4 })
        .map((changes) => {
          const copy = Uint8Array.from(bytes)
          for (const [at, byte] of changes) copy[at % copy.length] = byte
          return copy
        }),
      fc.nat(bytes.length).map((end) => bytes.subarray(0, end)),
      fc.constant(Uint8Array.from([...bytes, ...Array<number>(7).fill(255), 15])),
    )
  for (const { bytes, read } of DECODERS) {
    fc.assert(
      fc.property(changed(bytes), (garbage) => {
        let numbers: number[]
        try {
          numbers = read(garbage)
        } catch (error) {
          expect(error).toBeInstanceOf(Error)
          return
        }
        for (const number of numbers) {
          expect(Number.isSafeInteger(number) && number >= 0 && number <= LATEST_MS).toBe(true)
        }
      }),
      { numRuns: 2_000 },
    )
  }
})
