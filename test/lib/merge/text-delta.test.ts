import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { applyEdits } from '../../../lib/merge/edits.ts'
import { applyDeltas, textDelta } from '../../../lib/merge/text-delta.ts'

const figures = (from: string, to: string) => {
  const { edits: _, ...rest } = textDelta(from, to)
  return rest
}

/** Texts of few different parts, so that two of them have much in common. */
const text = fc
  .array(fc.constantFrom('a', 'b', '\n', '\r\n', 'é', '漢', '😀', '🇩🇪', 'line\n', ' '), {
    maxLength: 60,
  })
  .map((parts) => parts.join(''))

const halves = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/

describe('textDelta', () => {
  it('[VERSION-1] leads from any text to any other, with whole characters', () => {
    fc.assert(
      fc.property(text, text, text, text, (head, from, to, tail) => {
        const [a, b] = [head + from + tail, head + to + tail]
        const { edits } = textDelta(a, b)
        expect(applyEdits(a, edits)).toBe(b)
        for (const { index, remove, insert } of edits) {
          expect(insert).not.toMatch(halves)
          expect(a.slice(index, index + remove)).not.toMatch(halves)
        }
      }),
      { numRuns: 3_000 },
    )
  })

  it('[VERSION-1] does so also for long lines', () => {
    fc.assert(
      fc.property(text, text, text, (from, to, word) => {
        const filler = `${word}🇩🇪 é漢 some words\u{1f600} `.repeat(140)
        const [a, b] = [from + filler + to + filler, to + filler + from + filler + word]
        expect(applyEdits(a, textDelta(a, b).edits)).toBe(b)
      }),
      { numRuns: 500 },
    )
  })

  it('[VERSION-1] deltas of many texts in a row lead to the last', () => {
    fc.assert(
      fc.property(text, fc.array(text, { maxLength: 20 }), (first, more) => {
        const deltas = more.map((to, i) => textDelta(more[i - 1] ?? first, to).edits)
        expect(applyDeltas(first, deltas)).toBe(more.at(-1) ?? first)
      }),
      { numRuns: 500 },
    )
    expect(() => applyDeltas('abc', [[{ index: 2, remove: 2, insert: '' }]])).toThrow(
      /does not fit/,
    )
  })

  it('[VERSION-1] counts lines as a diff does, and bytes of what differs', () => {
    expect(figures('', '')).toEqual(figures('same\n', 'same\n'))
    expect(figures('', 'one\ntwo\n')).toEqual({
      addedLines: 2,
      removedLines: 0,
      addedBytes: 8,
      removedBytes: 0,
    })
    expect(figures('one\ntwo\nthree', 'one\n2\nthree')).toEqual({
      addedLines: 1,
      removedLines: 1,
      addedBytes: 1,
      removedBytes: 3,
    })
    expect(figures('one\ntwo\n', '')).toMatchObject({ removedLines: 2, removedBytes: 8 })
    expect(figures('a 😀 b', 'a 😁 b')).toMatchObject({ addedBytes: 4, removedBytes: 4 })
  })

  it('[VERSION-3] [VERSION-6] stays small for scattered edits, also within one long line', () => {
    const lines = Array.from({ length: 20_000 }, (_, i) => `line ${i} of many\n`)
    const edited = lines.map((line, i) => (i % 200 === 0 ? `${i}!\n` : line))
    expect(textDelta(lines.join(''), edited.join('')).edits).toHaveLength(100)
    // 1 MB without a line end
    const long = Array.from({ length: 200_000 }, (_, i) => i.toString(36)).join(' ')
    const two = `x${long.slice(1, 500_000)}INSERTED${long.slice(500_000)}y`
    const { edits } = textDelta(long, two)
    expect(applyEdits(long, edits)).toBe(two)
    expect(edits.reduce((sum, { insert }) => sum + insert.length, 0)).toBeLessThan(200)
  })
})
