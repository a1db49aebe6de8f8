import { expect, it } from 'vitest'
import { Plan } from '../../../sync-server/history/find/plan.ts'
import {
  addPlaces,
  BLOCK,
  countOf,
  newPlaces,
  placesIn,
  segmentsOf,
} from '../../../sync-server/history/find/segments.ts'

const BLOCKS = 40
/** Places, counted from the first block on. */
const PLACES: Readonly<Record<string, (at: number) => boolean>> = {
  common: () => true,
  half: (at) => at % 2 === 0,
  tenth: (at) => at % 10 === 0,
  rare: (at) => at % 5_000 === 0,
  nowhere: () => false,
}

/** Looks windows up, the newest first, and notes which records were read. */
const looking = (conditions: string[][], wanted: number) => {
  const plan = new Plan(conditions, wanted)
  const window = async (blocks: number) => {
    const reads: [string, number][] = []
    const places = await plan.places(blocks, async (beginning, only) => {
      reads.push([beginning, only?.length ?? blocks])
      const found = newPlaces(blocks)
      const isWanted = PLACES[beginning]!
      for (const block of only ?? Array.from({ length: blocks }, (_, i) => i)) {
        for (let at = block * BLOCK; at < (block + 1) * BLOCK; at++) {
          if (isWanted(at)) found[at >> 5]! |= 1 << (at & 31)
        }
      }
      return found
    })
    return { places: placesIn(places), reads }
  }
  return window
}

it('[FIND-2] the rarest condition is looked up first, the others only in its blocks, and none that spares nothing', async () => {
  const window = looking([['half'], ['common'], ['rare']], 21)
  const first = await window(BLOCKS)
  const expected = Array.from({ length: BLOCKS * BLOCK }, (_, at) => at)
    .filter((at) => at % 5_000 === 0)
    .toReversed()
  expect(first.places).toEqual(expected)
  // Each was counted once.
  expect(first.reads).toEqual([
    ['half', BLOCKS],
    ['common', BLOCKS],
    ['rare', BLOCKS],
  ])
  const second = await window(BLOCKS)
  expect(second.places).toEqual(expected)
  expect(second.reads[0]).toEqual(['rare', BLOCKS])
  for (const [, blocks] of second.reads.slice(1)) expect(blocks).toBe(expected.length)
  expect(second.reads.map(([name]) => name)).not.toContain('common')
})

it('[FIND-2] with many entries left, and a rare author, the index spares reading them', async () => {
  const window = looking([['half'], ['tenth'], ['common']], 21)
  await window(8)
  const { reads, places } = await window(8)
  expect(reads.map(([name]) => name)).toEqual(['tenth', 'half'])
  expect(places).toHaveLength(Math.ceil((8 * BLOCK) / 10))
  const none = looking([['common'], ['nowhere']], 21)
  expect((await none(8)).places).toEqual([])
  expect((await none(8)).reads).toEqual([['nowhere', 8]])
})

it('[FIND-4] a record that ends too early, or names no place of a block, is damaged', () => {
  const texts = Array.from({ length: BLOCK }, (_, i) => ({ text: `word${i}`, marks: [] }))
  const [[name, record] = ['', new Uint8Array()]] = segmentsOf(texts)
  expect(name).toBe('wo')
  const found = newPlaces(2)
  addPlaces(record, new TextEncoder().encode('word10'), found, 1)
  expect(countOf(found)).toBe(1 + 10 + 24)
  expect(placesIn(found).at(-1)).toBe(BLOCK + 10)
  for (const end of [1, 3, record.length - 1]) {
    const cut = record.subarray(0, end)
    expect(() => addPlaces(cut, new TextEncoder().encode('wo'), newPlaces(1), 0)).toThrow(
      /too early/,
    )
  }
  const beyond = Uint8Array.from([2, 119, 111, 2, 0x80, 0x08])
  expect(() => addPlaces(beyond, new TextEncoder().encode('wo'), newPlaces(1), 0)).toThrow(/block/)
})
