import { describe, expect, it } from 'vitest'
import type { Archivable, UpdateLog } from '../../../sync-server/storage/update-log.ts'
import { appendAll, LONG, longTail, stateOf } from './long-tails.ts'
import { historyContract } from './update-log-history.ts'

const bytes = (...values: number[]) => new Uint8Array(values)
const entry = (id: string | null, value: number): Archivable => ({
  shelf: 'broadcasts',
  id,
  value: bytes(value),
})

/** What every UpdateLog must do. `open` opens the log at `place`, a fresh one for each test. */
export const updateLogContract = <P>(
  name: string,
  newPlace: () => P,
  open: (place: P) => Promise<UpdateLog>,
): void => {
  describe(`${name} keeps the UpdateLog contract`, () => {
    it('[DUR-1] is empty at first', async () => {
      const log = await open(newPlace())
      expect(await log.load('w')).toEqual({ checkpoint: null, tail: [], seq: 0 })
      expect(await log.workspaces()).toEqual([])
      await log.close()
    })

    it('[DUR-1] gives records back in the order of the calls, also after it was closed', async () => {
      const place = newPlace()
      const log = await open(place)
      const seqs = await Promise.all([
        log.append('w', [bytes(1), bytes(2, 2)]),
        log.append('w', [bytes(3)]),
        log.append('v', [bytes(9)]),
        log.append('w', [bytes()]),
      ])
      expect(seqs).toEqual([1, 2, 1, 3])
      await log.close()
      const again = await open(place)
      const stored = await again.load('w')
      expect(stored.tail.map((update) => [...update])).toEqual([[1], [2, 2], [3], []])
      expect(stored.seq).toBe(3)
      expect(await again.append('w', [bytes(4)])).toBe(4)
      expect(await again.workspaces()).toEqual(['v', 'w'])
      await again.close()
    })

    it('[HTTP-7] facts are stored with the updates that they belong to, or alone, and go the same way', async () => {
      const place = newPlace()
      const log = await open(place)
      const json = (value: unknown) => new TextEncoder().encode(JSON.stringify(value))
      const put = (key: string, value: unknown) => ({
        type: 'put' as const,
        key,
        value: json(value),
      })
      expect(
        await log.append('w', [bytes(1)], [], [], [put('g:w/a/s', 1), put('g:w/b/s', 2)]),
      ).toBe(1)
      expect(await log.append('w', [], [], [], [put('g:w/a/m', [3])])).toBe(1)
      expect(await log.append('w', [bytes(2)], [], [], [{ type: 'del', key: 'g:w/b/s' }])).toBe(2)
      await log.close()
      const again = await open(place)
      expect((await again.load('w')).tail).toHaveLength(2)
      expect(await again.facts.entries('g:w/a/')).toEqual([
        { key: 'g:w/a/m', json: [3] },
        { key: 'g:w/a/s', json: 1 },
      ])
      expect([await again.facts.get('g:w/a/s'), await again.facts.get('g:w/b/s')]).toEqual([
        1,
        null,
      ])
      await again.close()
    })

    it('[DUR-2] keeps workspaces with similar names apart', async () => {
      const log = await open(newPlace())
      for (const name of ['a', 'a.b', 'ab', 'a-b'])
        await log.append(name, [new TextEncoder().encode(name)])
      for (const name of ['a', 'a.b', 'ab', 'a-b']) {
        const { tail } = await log.load(name)
        expect(tail.map((update) => new TextDecoder().decode(update))).toEqual([name])
      }
      await log.compact('a', 1, bytes(7))
      expect((await log.load('a.b')).tail).toHaveLength(1)
      await log.close()
    })

    it('[DUR-3] a checkpoint takes the place of the records it covers and of no other', async () => {
      const place = newPlace()
      const log = await open(place)
      for (let i = 1; i <= 5; i++) await log.append('w', [bytes(i)])
      await log.compact('w', 3, bytes(123))
      const check = (stored: Awaited<ReturnType<UpdateLog['load']>>) => {
        expect([...stored.checkpoint!]).toEqual([123])
        expect(stored.tail.map(([value]) => value)).toEqual([4, 5])
        expect(stored.seq).toBe(5)
      }
      check(await log.load('w'))
      await log.close()
      const again = await open(place)
      check(await again.load('w'))
      await again.compact('w', 5, bytes(124))
      expect(await again.append('w', [bytes(6)])).toBe(6)
      await again.close()
    })

    it('[DUR-9] gives readers the same document in few updates', async () => {
      const place = newPlace()
      const log = await open(place)
      const updates = longTail(LONG)
      await appendAll(log, 'w', updates.slice(0, -300))
      const check = async (log: UpdateLog, from = 0) => {
        const [single, joined] = [await log.load('w'), await log.loadJoined('w')]
        expect(joined.tail).toHaveLength(1)
        expect(joined.seq).toBe(single.seq)
        expect(joined.single ?? single.tail).toEqual(single.tail)
        expect(single.tail).toHaveLength(updates.length - from)
        expect(stateOf(joined)).toEqual(stateOf(single))
      }
      const { seq } = await log.loadJoined('w')
      await appendAll(log, 'w', updates.slice(-300))
      await check(log)
      await log.close()
      const again = await open(place)
      await check(again)
      await again.compact(
        'w',
        seq,
        stateOf({ checkpoint: null, tail: updates.slice(0, -300) }).update,
      )
      await check(again, updates.length - 300)
      await again.close()
    })

    it('[DUR-1] stores many concurrent appends of many workspaces completely', async () => {
      const log = await open(newPlace())
      const jobs: Promise<number>[] = []
      for (let i = 0; i < 2_000; i++) jobs.push(log.append(`w${i % 7}`, [bytes(i & 255, i >> 8)]))
      await Promise.all(jobs)
      let total = 0
      for (let w = 0; w < 7; w++) {
        const { tail, seq } = await log.load(`w${w}`)
        const numbers = tail.map(([low, high]) => low! + high! * 256)
        expect(numbers).toEqual([...numbers].sort((a, b) => a - b))
        expect(seq).toBe(numbers.length)
        total += numbers.length
      }
      expect(total).toBe(2_000)
      await log.close()
    })

    it('[DUR-1] rejects appends after close', async () => {
      const log = await open(newPlace())
      await log.append('w', [bytes(1)])
      await log.close()
      await expect(log.append('w', [bytes(2)])).rejects.toThrow()
    })

    it('[LOG-1] archives with an update, in order, found by position and by id, also after it was closed', async () => {
      const place = newPlace()
      const log = await open(place)
      expect(await log.archived('w', 'broadcasts', 0, 10)).toEqual([])
      expect([
        await log.archiveEnd('w', 'broadcasts'),
        await log.archivePosition('w', 'broadcasts', 'x'),
      ]).toEqual([0, null])
      await Promise.all([
        log.append('w', [bytes(1)], [entry('x', 1), entry(null, 2)]),
        log.append('w.w', [bytes(1)], [entry('x', 9)]),
        log.append('w', [bytes(2)]),
        log.append('w', [bytes(3)], [entry('y:1', 3), { ...entry('x', 8), shelf: 'tasks' }]),
      ])
      const check = async (log: UpdateLog) => {
        const all = await log.archived('w', 'broadcasts', 0, 10)
        expect(all.map(({ seq, value }) => [seq, ...value])).toEqual([
          [1, 1],
          [2, 2],
          [3, 3],
        ])
        expect((await log.archived('w', 'broadcasts', 1, 1)).map(({ seq }) => seq)).toEqual([2])
        expect((await log.archived('w', 'broadcasts', 0, 10, 2)).map(({ seq }) => seq)).toEqual([
          1, 2,
        ])
        expect((await log.archived('w', 'broadcasts', 2, 10, 0)).map(({ seq }) => seq)).toEqual([3])
        expect(await log.archived('w', 'broadcasts', 3, 10)).toEqual([])
        expect(await log.archiveEnd('w', 'broadcasts')).toBe(3)
        expect(await log.archivePosition('w', 'broadcasts', 'x')).toBe(1)
        expect(await log.archivePosition('w', 'broadcasts', 'y:1')).toBe(3)
        expect(await log.archivePosition('w', 'broadcasts', 'y')).toBeNull()
        expect((await log.archived('w', 'tasks', 0, 10)).map(({ value }) => value[0])).toEqual([8])
        expect(await log.archiveEnd('w', 'tasks')).toBe(1)
        expect(await log.archivePosition('w', 'tasks', 'x')).toBe(1)
        expect(await log.archivePosition('w', 'tasks', 'y:1')).toBeNull()
        expect(await log.archivePosition('w.w', 'broadcasts', 'x')).toBe(1)
      }
      await check(log)
      await log.compact('w', 3, bytes(7))
      await log.close()
      const again = await open(place)
      await check(again)
      await again.append('w', [bytes(4)], [entry('z', 4)])
      expect(await again.archivePosition('w', 'broadcasts', 'z')).toBe(4)
      expect((await again.load('w')).tail).toHaveLength(1)
      await again.close()
    })

    it('[LOG-1] after a cut in the midst of appends has the archived entries of exactly the records it has', async () => {
      const place = newPlace()
      const log = await open(place)
      const jobs: Promise<unknown>[] = []
      for (let i = 1; i <= 200; i++) {
        const archived = Array.from({ length: i % 5 }, (_, n) => entry(`${i}.${n}`, i))
        jobs.push(log.append('w', [bytes(i)], archived))
      }
      await jobs[0]
      await log.close() // what is not stored by now is refused
      await Promise.allSettled(jobs)
      const again = await open(place)
      const { seq } = await again.load('w')
      const expected: number[] = []
      for (let i = 1; i <= seq; i++) for (let n = 0; n < i % 5; n++) expected.push(i)
      const found = await again.archived('w', 'broadcasts', 0, 10_000)
      expect(found.map(({ value }) => value[0])).toEqual(expected)
      expect(found.map(({ seq }) => seq)).toEqual(expected.map((_, i) => i + 1))
      await again.close()
    })

    historyContract(newPlace, open)
  })
}
