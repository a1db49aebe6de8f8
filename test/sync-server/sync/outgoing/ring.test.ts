import { expect, it } from 'vitest'
import { type Chunk, Ring } from '../../../../sync-server/sync/outgoing/ring.ts'

const chunk = (seq: number): Chunk => ({
  ...{ seq, bytes: Buffer.of(seq), own: new Map(), merged: null },
})
const readersAt = (...cursors: (number | null)[]) =>
  cursors.map((cursor) => ({ reader: { cursor } }))

it('[SYNC-12] commits stay in memory until all readers have them, and one that comes too late reads the log', () => {
  const ring = new Ring()
  expect(ring.after(4)).toBeUndefined()
  ring.push(chunk(5))
  ring.push(chunk(6))
  for (const cursors of [[6, 5], [null, 6], [4]]) {
    ring.release(readersAt(...cursors))
    expect([ring.after(4)?.seq, ring.after(5)?.seq, ring.after(6)]).toEqual([5, 6, undefined])
  }
  ring.release(readersAt(6, 6))
  // Not `undefined`: it would wait for commits that it has missed.
  expect([ring.after(4), ring.after(5), ring.after(6), ring.after(7)]).toEqual([
    ...[null, null],
    ...[undefined, undefined],
  ])
  ring.push(chunk(7))
  expect([ring.after(5), ring.after(6)?.seq, ring.after(7)]).toEqual([null, 7, undefined])
  ring.release([])
  expect([ring.after(6), ring.after(7)]).toEqual([null, undefined])
})
