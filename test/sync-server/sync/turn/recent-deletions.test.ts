import { expect, it } from 'vitest'
import { RecentDeletions } from '../../../../sync-server/sync/turn/recent-deletions.ts'

const range = (clock: number, length: number, client = 1) => ({ client, clock, length })

it('[BLAME-13] finds the parts that others deleted within two minutes', () => {
  let now = 0
  const recent = new RecentDeletions(() => now)
  recent.note('a', [range(20, 5), range(0, 10)])
  recent.note('b', [range(10, 5)])
  recent.note(null, [range(30, 1)])
  const found = (by: string | null, ...ranges: ReturnType<typeof range>[]) =>
    recent.byOthers(by, ranges).map(({ clock, length }) => [clock, length])
  expect(found('c', range(5, 30))).toEqual([
    [5, 5],
    [10, 5],
    [20, 5],
    [30, 1],
  ])
  expect(found('a', range(5, 30))).toEqual([
    [10, 5],
    [30, 1],
  ])
  expect(found('c', range(15, 5), range(0, 9, 2))).toEqual([])
  now = 120_001
  expect(found('c', range(0, 100))).toEqual([])
})

it('remembers the newest ten thousand ranges at least, and twice as many at most', () => {
  const recent = new RecentDeletions(() => 0)
  const count = 100_000
  for (let i = 0; i < count; i++) recent.note('a', [range(2 * i, 1)])
  const known = recent.byOthers('b', [range(0, 2 * count)])
  expect(known.length).toBeGreaterThanOrEqual(10_000)
  expect(known.length).toBeLessThanOrEqual(20_000)
  expect(known.at(-1)!.clock).toBe(2 * (count - 1))
  recent.forget()
  expect(recent.byOthers('b', [range(0, 2 * count)])).toEqual([])
})
