import { describe, expect, it } from 'vitest'
import { applyEdits } from '../../../lib/merge/edits.ts'
import { textDelta } from '../../../lib/merge/text-delta.ts'
import type { FileKey } from '../../../protocol/ids.ts'
import {
  boundedStale,
  insertedBy,
  type StaleFile,
  staleLines,
} from '../../../workspace/files/stale.ts'
import { runSeed, seeded } from '../../support/client.ts'

const linesOf = (
  before: string,
  after: string,
  read: [number, number] | null = null,
  isOwn = (_: number) => false,
): string => {
  const { edits } = textDelta(before, after)
  const range = read === null ? null : { from_line: read[0], to_line: read[1] }
  return staleLines(before, after, edits, range, isOwn)
    .map(({ from_line, to_line }) => `${from_line}-${to_line}`)
    .join(' ')
}

const TEN = 'a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n'

describe('[STALE-2] the lines that others changed of what was read', () => {
  it.each([
    ['nothing', TEN, null, ''],
    ['one line', TEN.replace('c', 'C'), null, '3-3'],
    ['two lines apart', TEN.replace('c', 'C').replace('h', 'H'), null, '3-3 8-8'],
    ['neighbours are one range', TEN.replace('c\nd', 'C\nD'), null, '3-4'],
    ['an insertion', TEN.replace('c\n', 'c\nX\nY\n'), null, '4-5'],
    ['a removal is at the line after it', TEN.replace('c\n', ''), null, '3-3'],
    ['outside of what was read', TEN.replace('c', 'C'), [5, 7], ''],
    ['within it', TEN.replace('f', 'F'), [5, 7], '6-6'],
    ['its first and last line', TEN.replace('e', 'E').replace('g', 'G'), [5, 7], '5-5 7-7'],
    ['its neighbours', TEN.replace('d', 'D').replace('h', 'H'), [5, 7], ''],
    ['between two of its lines', TEN.replace('f\n', 'f\nX\n'), [5, 7], '7-7'],
    [
      'before its first and after its last line',
      `${TEN.replace('e', 'X\ne').replace('g\n', 'g\nX\n')}`,
      [5, 7],
      '',
    ],
    ['it moved down', `X\nY\n${TEN.replace('f', 'F')}`, [5, 7], '8-8'],
    ['all of it is gone', 'a\nb\nc\nd\nh\ni\nj\n', [5, 7], '5-5'],
    ['the end', `${TEN}k\n`, null, '11-11'],
  ] as [string, string, [number, number] | null, string][])('%s', (_, after, read, expected) => {
    expect(linesOf(TEN, after, read)).toBe(expected)
  })

  it('leaves out what the reader wrote itself', () => {
    const after = TEN.replace('c', 'C').replace('h', 'H')
    expect(linesOf(TEN, after, null, (edit) => edit === 0)).toBe('8-8')
  })

  it('names exactly the lines of the new text that differ, in random texts', () => {
    const random = seeded(runSeed('stale'))
    for (let run = 0; run < 300; run++) {
      const before = Array.from({ length: 12 }, (_, i) => `line ${i}\n`)
      const after = before.flatMap((line) => {
        const roll = random()
        return roll < 0.1 ? [] : roll < 0.2 ? [line, 'new\n'] : roll < 0.3 ? ['changed\n'] : [line]
      })
      const { edits } = textDelta(before.join(''), after.join(''))
      expect(applyEdits(before.join(''), edits)).toBe(after.join(''))
      const lines = staleLines(before.join(''), after.join(''), edits, null, () => false)
      const named = (line: number) =>
        lines.some(({ from_line, to_line }) => from_line <= line && line <= to_line)
      for (const [i, line] of after.entries())
        if (!line.startsWith('line')) expect(named(i + 1)).toBe(true)
      for (const [from, to] of insertedBy(edits)) {
        expect(to).toBeGreaterThanOrEqual(from)
        expect(to).toBeLessThanOrEqual(after.join('').length)
      }
    }
  })
})

it('[STALE-1] a result says at most 8 files and what earlier versions accept of unknown fields', () => {
  const file = (path: string, lines: number): StaleFile => ({
    ...{ file_key: path as FileKey, read_version: 1, now_version: 2 },
    lines: Array.from({ length: lines }, (_, i) => ({ from_line: 2 * i + 1, to_line: 2 * i + 1 })),
  })
  expect(boundedStale([file('a', 20)])[0]!.lines).toHaveLength(8)
  const many = boundedStale(Array.from({ length: 20 }, (_, i) => file(`f${i}`, 1)))
  expect(many.length).toBeGreaterThan(4)
  expect(many.length).toBeLessThanOrEqual(8)
  expect(boundedStale([file('x'.repeat(1_000), 1)])).toEqual([])
})
