import { expect, it } from 'vitest'
import * as Y from 'yjs'
import { type Authorship, type Credit, NOBODY } from '../../../lib/attribution/runs.ts'
import { linkedAll } from '../../../lib/hash-chain.ts'
import type { UpdateLog } from '../../../sync-server/storage/update-log.ts'

const bytes = (...values: number[]) => new Uint8Array(values)
const hex = (bytes: Uint8Array | null) => Buffer.from(bytes ?? []).toString('hex')
const version = (of: string, version: number, drop: number[] = []) => ({
  of,
  versions: [{ version, about: bytes(version), content: bytes(version, version) }],
  head: bytes(version),
  drop,
})

/** Updates of a text: client 7 writes “hello” and “ world”, client 9 deletes “lo w” and writes “!”. */
const writing = (): Uint8Array[] => {
  const doc = new Y.Doc()
  const updates: Uint8Array[] = []
  doc.on('update', (update: Uint8Array) => updates.push(update))
  const text = doc.getText('file:f')
  doc.clientID = 7
  text.insert(0, 'hello')
  text.insert(5, ' world')
  doc.clientID = 9
  text.delete(3, 4)
  text.insert(7, '!')
  return updates
}
const by = (agent: string, more: Partial<Credit> = {}): Authorship => ({
  credits: [{ ...NOBODY, by: agent, ...more }],
  deleted: [],
})

/** What every UpdateLog must do with what is kept beside the updates: versions, authors, the record. */
export const historyContract = <P>(
  newPlace: () => P,
  open: (place: P) => Promise<UpdateLog>,
): void => {
  it('[VERSION-4] keeps versions of things apart, in the order of their numbers, through checkpoints and a restart', async () => {
    const place = newPlace()
    const log = await open(place)
    const { versions } = log
    expect(await versions.head('w', 'a')).toBeNull()
    expect((await versions.heads('w')).size).toBe(0)
    // Names of which one is the beginning of the other's keys, or that have what separates keys in them.
    const names = ['a', 'a:b', 'a/b', 'a%3Ab', 'a;', 'é 漢']
    await versions.keep(
      'w',
      names.map((name) => version(name, 3)),
    )
    await Promise.all([
      versions.keep('w', [version('a', 17), version('a:b', 5)]),
      versions.keep('w.w', [version('a', 9)]),
      log.append('w', [bytes(1)]),
    ])
    await versions.keep('w', [version('a', 300)])
    await log.compact('w', 1, bytes(7))
    const check = async ({ versions }: UpdateLog) => {
      const numbers = async (of: string, from: number, to: number, limit = 10) =>
        (await versions.abouts('w', of, from, to, limit)).map(({ version }) => version)
      expect(await numbers('a', 0, 1_000)).toEqual([3, 17, 300])
      expect(await numbers('a', 1_000, 0)).toEqual([300, 17, 3])
      expect(await numbers('a', 1_000, 0, 2)).toEqual([300, 17])
      expect(await numbers('a', 17, 17)).toEqual([17])
      expect(await numbers('a', 4, 16)).toEqual([])
      expect(await numbers('a:b', 0, 1_000)).toEqual([3, 5])
      expect(await numbers('none', 0, 1_000)).toEqual([])
      const [about] = await versions.abouts('w', 'a', 17, 17, 1)
      expect([...about!.about]).toEqual([17])
      const contents = await versions.contents('w', 'a', 3, 17)
      expect(contents.map((content) => [...content])).toEqual([
        [3, 3],
        [17, 17],
      ])
      expect([...(await versions.heads('w')).keys()].sort()).toEqual([...names].sort())
      expect([...(await versions.head('w', 'a'))!]).toEqual([300 & 255])
      expect([...(await versions.head('w.w', 'a'))!]).toEqual([9])
    }
    await check(log)
    await log.close()
    const again = await open(place)
    await check(again)
    expect(await again.workspaces()).toEqual(['w'])
    await again.close()
  })

  it('[VERSION-3] drops versions in the same step that adds one', async () => {
    const log = await open(newPlace())
    for (let i = 1; i <= 4; i++) await log.versions.keep('w', [version('a', i)])
    await log.versions.keep('w', [version('a', 5, [1, 2]), version('b', 1)])
    const left = await log.versions.abouts('w', 'a', 0, 10, 10)
    expect(left.map(({ version }) => version)).toEqual([3, 4, 5])
    expect(await log.versions.contents('w', 'a', 0, 10)).toHaveLength(3)
    await log.close()
    await expect(log.versions.keep('w', [version('a', 6)])).rejects.toThrow()
  })

  it('[BLAME-1] [BLAME-2] keeps who made each operation, when and for what, in records and checkpoints', async () => {
    const place = newPlace()
    const log = await open(place)
    const [hello, world, gone, mark] = writing()
    const deleted = [{ root: 'file:f', client: 7, clock: 3, text: 'lo w' }]
    await log.append('w', [hello!], [], [], [], by('anna', { task: 't1' }))
    await log.append('w', [world!], [], [], [], by('anna', { task: 't1' }))
    await log.append('w', [gone!], [], [], [], { ...by('ben', { via: 'cara' }), deleted })
    await log.append('w', [mark!])
    const at = 1_700_000_000_000
    const check = async (log: UpdateLog) => {
      const { inserts, deletes } = await log.attribution('w', null)
      expect(inserts.get(7)).toMatchObject([
        { client: 7, clock: 0, length: 11, at, task: 't1', via: null },
      ])
      expect(inserts.get(9)).toBeUndefined()
      const range = { client: 7, clock: 3, length: 4 }
      expect([...deletes]).toEqual([[7, [{ ...range, at, task: null, via: 'cara', by: 'ben' }]]])
      const half = await log.attribution('w', null, ['inserts'])
      expect(half).toMatchObject({ inserts, deletes: new Map(), again: new Map() })
      const some = await log.attribution('w', new Set([9]))
      expect([some.inserts.size, some.deletes.size]).toEqual([0, 0])
      expect((await log.attribution('w', new Set([7, 9]))).inserts.get(7)).toHaveLength(1)
      expect(await log.deletedTexts('w', 'file:f')).toEqual([{ client: 7, clock: 3, text: 'lo w' }])
      expect(await log.deletedTexts('w', 'file:other')).toEqual([])
    }
    for (const seq of [0, 1, 3, 4]) {
      if (seq > 0) await log.compact('w', seq, bytes(0))
      await check(log)
    }
    await log.close()
    const again = await open(place)
    await check(again)
    await again.append('w', [writing()[0]!], [], [], [], by('dora'))
    expect((await again.attribution('w', null)).inserts.get(7)).toHaveLength(2)
    await again.close()
  })

  it('[BLAME-3] an update that brings only a part of its operations is credited with these', async () => {
    const log = await open(newPlace())
    const [hello, world] = writing()
    await log.append('w', [hello!], [], [], [], by('anna'))
    const inserts = [{ client: 7, clock: 5, length: 2 }]
    const deletes = [{ client: 7, clock: 1, length: 1 }]
    await log.append('w', [world!], [], [], [], by('ben', { news: { inserts, deletes } }))
    const check = async () => {
      const found = await log.attribution('w', null)
      expect(found.inserts.get(7)!.at(-1)).toMatchObject({ clock: 0, length: 7 })
      expect(found.deletes.get(7)).toMatchObject([{ clock: 1, length: 1, by: 'ben' }])
    }
    await check()
    await log.compact('w', 2, bytes(0))
    await check()
    await log.close()
  })

  it('[BLAME-13] keeps who deleted what another had just deleted, in records and checkpoints', async () => {
    const place = newPlace()
    const log = await open(place)
    const [hello, world, gone] = writing()
    await log.append('w', [hello!, world!], [], [], [], {
      ...{ credits: [by('anna').credits[0]!, by('anna').credits[0]!], deleted: [] },
    })
    await log.append('w', [gone!], [], [], [], by('ben'))
    const again = [{ client: 7, clock: 4, length: 2 }]
    const second = { news: { inserts: [], deletes: [] }, again }
    await log.append('w', [gone!], [], [], [], by('cara', { ...second, task: 't2' }))
    await log.append('w', [gone!], [], [], [], by('dora', second))
    const check = async (log: UpdateLog) => {
      const found = await log.attribution('w', new Set([7]))
      expect(found.deletes.get(7)).toMatchObject([{ clock: 3, length: 4, by: 'ben' }])
      const range = { client: 7, clock: 4, length: 2, via: null }
      expect(found.again.get(7)).toMatchObject([
        { ...range, by: 'cara', task: 't2' },
        { ...range, by: 'dora', task: null },
      ])
      expect((await log.attribution('w', new Set([9]))).again.size).toBe(0)
    }
    for (const seq of [0, 3, 4]) {
      if (seq > 0) await log.compact('w', seq, bytes(0))
      await check(log)
    }
    await log.close()
    const reopened = await open(place)
    await check(reopened)
    await reopened.close()
  })

  it('[RECORD-1] the head of the chain depends on each record and on their order, and outlives a restart', async () => {
    const headOf = async (...records: number[]) => {
      const place = newPlace()
      const log = await open(place)
      for (const value of records) await log.append('w', [bytes(value)])
      await log.record.open('w')
      const { seq, head } = log.record.handOut('w')!
      expect(seq).toBe(records.length)
      await log.close()
      const again = await open(place)
      await again.record.open('w')
      expect(hex(again.record.handOut('w')!.head)).toBe(hex(head))
      await again.close()
      return hex(head)
    }
    const heads = [await headOf(1, 2), await headOf(2, 1), await headOf(1), await headOf(1, 2, 2)]
    expect(new Set(heads).size).toBe(heads.length)
    expect(await headOf(1, 2)).toBe(heads[0])
  })

  it('[RECORD-2] the digests of all records lead from each head to the newest, whatever was folded', async () => {
    const place = newPlace()
    const log = await open(place)
    const heads: Uint8Array[] = []
    await log.record.open('w')
    heads.push((await log.record.headAt('w', 0))!)
    for (let seq = 1; seq <= 9; seq++) {
      await log.append('w', [bytes(seq)])
      heads.push(log.record.handOut('w')!.head)
      if (seq % 3 === 0) await log.compact('w', seq - 1, bytes(seq))
    }
    const check = async (log: UpdateLog) => {
      for (let from = 0; from <= 9; from++) {
        expect(hex(await log.record.headAt('w', from))).toBe(hex(heads[from]!))
        const digests = await log.record.digests('w', from, 100)
        expect(hex(linkedAll(heads[from]!, digests))).toBe(hex(heads[9]!))
        expect(await log.record.digests('w', from, 2)).toEqual(digests.slice(0, 2))
      }
      expect(await log.record.headAt('w', 10)).toBeNull()
    }
    await check(log)
    await log.close()
    const again = await open(place)
    await check(again)
    await again.compact('w', 9, bytes(9))
    await again.close()
    const folded = await open(place)
    await folded.record.open('w')
    expect(folded.record.handOut('w')!.seq).toBe(9)
    await check(folded)
    await folded.close()
  })
}
