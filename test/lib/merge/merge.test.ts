import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { diffTokens } from '../../../lib/merge/diff.ts'
import { applyEdits } from '../../../lib/merge/edits.ts'
import { merge3 } from '../../../lib/merge/merge.ts'

/** Few different lines, so that texts repeat and share them; line ends of all kinds, or none at the end. */
const line = fc.constantFrom(
  '',
  'a',
  'b',
  '}',
  'αβ',
  '漢字かな',
  '👍🏽 ok',
  '👨‍👩‍👧',
  'e\u0301',
  '🇩🇪🇫🇷',
  'x y z',
)
const text = fc
  .tuple(fc.array(line, { maxLength: 12 }), fc.constantFrom('\n', '\r\n'), fc.boolean())
  .map(([lines, eol, closed]) => lines.join(eol) + (closed ? eol : ''))
/** A text and two that were made from it by replacing some ranges of its lines. */
const versions = fc
  .tuple(
    text,
    fc.array(fc.tuple(fc.boolean(), fc.nat(12), fc.nat(3), fc.array(line, { maxLength: 3 })), {
      maxLength: 6,
    }),
  )
  .map(([base, changes]) => {
    const eol = base.includes('\r\n') ? '\r\n' : '\n'
    const sides = [base.split(eol), base.split(eol)]
    for (const [left, at, remove, insert] of changes)
      sides[left ? 0 : 1]!.splice(at, remove, ...insert)
    return [base, sides[0]!.join(eol), sides[1]!.join(eol)] as const
  })

const roundTrips = (text: string): boolean => Buffer.from(text).toString() === text

describe('merge3', () => {
  it.each<[what: string, base: string, mine: string, theirs: string, text: string]>([
    ['changes of different lines', 'a\nb\nc\n', 'A\nb\nc\n', 'a\nb\nC\n', 'A\nb\nC\n'],
    ['changes of neighbouring lines', 'a\nb\n', 'A\nb\n', 'a\nB\n', 'A\nB\n'],
    ['a change and a removal next to it', 'a\nb\nc\n', 'A\nb\nc\n', 'a\nc\n', 'A\nc\n'],
    ['the same change on both sides', 'a\nb\n', 'a\nB\n', 'a\nB\n', 'a\nB\n'],
    ['the same change and another next to it', 'a\nb\nc\n', 'x\nb\nc\n', 'x\ny\nc\n', 'x\ny\nc\n'],
    ['the same change, mine with more', 'a\nb\nc\n', 'x\ny\nc\n', 'x\nb\nc\n', 'x\ny\nc\n'],
    ['insertions at one place', 'a\nb\n', 'a\nm\nb\n', 'a\nt\nb\n', 'a\nt\nm\nb\n'],
    ['the same insertion', 'a\nb\n', 'a\nn\nb\n', 'a\nn\nb\n', 'a\nn\nb\n'],
    ['an insertion again, after more came there', 'a\n', 'a\nm\n', 'a\nm\nt\n', 'a\nm\nt\n'],
    ['an insertion again, beside a change', 'a\nb\n', 'a\nm\nb\n', 'A\nm\nb\n', 'A\nm\nb\n'],
    ['an insertion again, before a change', 'a\nb\n', 'a\nm\nb\n', 'a\nm\nB\n', 'a\nm\nB\n'],
    ['appending with no line end', 'a', 'a\nm', 'a\nt', 'a\nt\nm'],
    [
      'appending with CRLF and no line end',
      'a\r\nb',
      'a\r\nb\r\nm',
      'a\r\nb\r\nt',
      'a\r\nb\r\nt\r\nm',
    ],
    ['appending and losing the line end', 'a\n', 'a\nm', 'a\nt\n', 'a\nt\nm'],
    ['lines into an empty text', '', 'm\n', 't\n', 't\nm\n'],
    ['overlapping removals', 'a\nb\nc\nd\n', 'a\nd\n', 'a\nb\n', 'a\n'],
    ['removals that leave nothing', 'a\nb', 'a', 'b', ''],
    ['removal of all against a change of none', 'a\nb\n', '', 'a\nb\n', ''],
    [
      'a blank line more in a run of blank lines',
      'a\n\n\nb\n',
      'a\n\n\n\nb\n',
      'a\n\n\n\nb\n',
      'a\n\n\n\nb\n',
    ],
  ])('merges %s', (_, base, mine, theirs, text) => {
    expect(merge3(base, mine, theirs)).toMatchObject({ text, conflicts: [] })
  })

  it.each<
    [what: string, base: string, mine: string, theirs: string, text: string, lines: number[]]
  >([
    ['two changes of one line', 'a\nb\nc\n', 'a\nM\nc\n', 'a\nT\nc\n', 'a\nT\nM\nc\n', [2, 3]],
    ['overlapping changes', 'a\nb\nc\nd\n', 'M\nd\n', 'a\nT\nd\n', 'T\nM\nd\n', [1, 2]],
    ['my removal of what they changed', 'a\nb\nc\n', 'a\nc\n', 'a\nT\nc\n', 'a\nT\nc\n', [2, 2]],
    ['their removal of what I changed', 'a\nb\nc\n', 'a\nM\nc\n', 'a\nc\n', 'a\nM\nc\n', [2, 2]],
    ['changes of the last line', 'a', 'M', 'T', 'T\nM', [1, 2]],
  ])('keeps both and reports %s', (_, base, mine, theirs, text, [from_line, to_line]) => {
    const merged = merge3(base, mine, theirs)
    expect(merged.text).toBe(text)
    expect(merged.conflicts).toMatchObject([{ from_line, to_line }])
  })

  it('[FILE-2] names the lines of the merged text, and in theirs only what they wrote', () => {
    const merged = merge3('1\n2\nthe end\n', '0\n1\n2\nthe mine\n', '1\n2\nthe their\n')
    expect(merged.text).toBe('0\n1\n2\nthe their\nthe mine\n')
    expect(merged.conflicts).toEqual([
      {
        from_line: 4,
        to_line: 5,
        theirs: [
          [8, 10],
          [11, 13],
        ],
      },
    ])
  })

  it('[FILE-4] edits a line that only I changed by characters', () => {
    expect(merge3('the cat sat', 'the dog sat', 'the cat sat').edits).toEqual([
      { index: 4, remove: 3, insert: 'dog' },
    ])
    expect(merge3('ab👍cd', 'ab👎cd', 'ab👍cd').edits).toEqual([
      { index: 2, remove: 2, insert: '👎' },
    ])
    expect(merge3('see the 👨‍👩‍👧!', 'see the 👨‍👩‍👦!', 'see the 👨‍👩‍👧!').edits).toEqual([
      { index: 8, remove: 8, insert: '👨‍👩‍👦' },
    ])
    expect(merge3('e\u0301', 'e\u0300', 'e\u0301').edits).toEqual([
      { index: 0, remove: 2, insert: 'e\u0300' },
    ])
  })

  it('[FILE-3] is the identity where one side changed nothing, or both the same', () => {
    fc.assert(
      fc.property(versions, text, ([base, mine], unrelated) => {
        for (const to of [mine, unrelated]) {
          expect(merge3(base, to, base)).toMatchObject({ text: to, conflicts: [] })
          expect(merge3(base, base, to)).toMatchObject({ text: to, edits: [], conflicts: [] })
          expect(merge3(base, to, to)).toMatchObject({ text: to, edits: [], conflicts: [] })
        }
      }),
      { numRuns: 1500 },
    )
  })

  it('[FILE-4] [FILE-22] gives edits in order and apart that make theirs the merged text, whole characters only', () => {
    fc.assert(
      fc.property(versions, ([base, mine, theirs]) => {
        const { text, edits, conflicts } = merge3(base, mine, theirs)
        expect(applyEdits(theirs, edits)).toBe(text)
        expect(roundTrips(text)).toBe(true)
        let done = 0
        for (const { index, remove, insert } of edits) {
          expect(index).toBeGreaterThanOrEqual(done)
          expect(roundTrips(insert)).toBe(true)
          expect(roundTrips(theirs.slice(0, index))).toBe(true)
          expect(roundTrips(theirs.slice(index, index + remove))).toBe(true)
          done = index + remove
        }
        const lines = text.split('\n').length
        for (const { from_line, to_line } of conflicts) {
          expect(1 <= from_line && from_line <= to_line && to_line <= lines).toBe(true)
        }
      }),
      { numRuns: 1500 },
    )
  })

  it('[FILE-1] loses no line that either side added, and puts again what is there already as nothing', () => {
    fc.assert(
      fc.property(versions, ([base, mine, theirs]) => {
        const lines = (text: string) => text.split(/\r?\n/)
        const merged = merge3(base, mine, theirs).text
        for (const side of [mine, theirs]) {
          for (const line of lines(side)) {
            if (line !== '' && !lines(base).includes(line)) expect(lines(merged)).toContain(line)
          }
        }
      }),
      { numRuns: 1500 },
    )
  })

  it('[FILE-1] [FILE-24] has both sides’ edits of different lines exactly once', () => {
    const change = fc.constantFrom('replace', 'remove', 'insert', 'none')
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.boolean(), change), { maxLength: 40 }),
        fc.constantFrom('\n', '\r\n'),
        (changes, eol) => {
          const [base, mine, theirs, both]: string[][] = [[], [], [], []]
          changes.forEach(([left, change], i) => {
            const old = [`line ${i}`]
            const next = {
              replace: [`new ${i}`],
              remove: [],
              insert: [`before ${i}`, ...old],
              none: old,
            }[change]
            base!.push(...old)
            mine!.push(...(left ? next : old))
            theirs!.push(...(left ? old : next))
            both!.push(...next)
          })
          const [b, m, t, expected] = [base!, mine!, theirs!, both!].map((lines) =>
            [...lines, ''].join(eol),
          )
          const merged = merge3(b!, m!, t!)
          expect(merged.conflicts).toEqual([])
          expect(merged.text.split(eol).sort()).toEqual(expected!.split(eol).sort())
        },
      ),
      { numRuns: 2000 },
    )
  })
})

describe('large texts', () => {
  const MB = 1_000_000
  /** The numbers of a linear congruential generator: the same file in every run. */
  const numbers = (seed: number) => () => {
    seed = (seed * 1103515245 + 12345) & 0x7fffffff
    return seed
  }

  it('merges 1,000 edits of each side into 1 MB', () => {
    const next = numbers(7)
    const base = Array.from({ length: 20_000 }, (_, i) => `line ${i} ${'.'.repeat(next() % 100)}`)
    const [mine, theirs] = [[...base], [...base]]
    for (let i = 0; i < 1000; i++) {
      mine[i * 20 + (next() % 10)] += ` mine ${i}`
      theirs[i * 20 + 10 + (next() % 10)] += ` theirs ${i}`
    }
    const [b, m, t] = [base.join('\n'), mine.join('\n'), theirs.join('\n')]
    expect(b.length).toBeGreaterThan(MB)
    const merged = merge3(b, m, t)
    expect(merged.conflicts).toEqual([])
    expect(merged.edits.length).toBe(1000)
    expect(merged.edits.every(({ remove, insert }) => remove === 0 && insert.length < 12)).toBe(
      true,
    )
    expect(merged.text.match(/mine \d+$/gm)?.length).toBe(1000)
    expect(merged.text.match(/theirs \d+$/gm)?.length).toBe(1000)
  })

  it('edits a single line of 1 MB at both ends in small pieces', () => {
    const next = numbers(3)
    const base = Array.from({ length: MB }, () => String.fromCharCode(97 + (next() % 26))).join('')
    const mine = `${base.slice(0, 10)}MINE${base.slice(10, -10)}`
    const { text, edits } = merge3(base, mine, base)
    expect(text).toBe(mine)
    expect(edits.length).toBe(2)
  })

  it('tells more than 65,535 different lines apart', () => {
    const base = Array.from({ length: 200_000 }, (_, i) => `${i}`)
    const mine = base.with(5, 'mine').with(150_000, 'mine too')
    const theirs = base.with(70_000, 'theirs').with(199_999, 'theirs too')
    const merged = merge3(base.join('\n'), mine.join('\n'), theirs.join('\n'))
    expect(merged.conflicts).toEqual([])
    expect(merged.text).toBe(mine.with(70_000, 'theirs').with(199_999, 'theirs too').join('\n'))
  })

  it('is right where nearly nothing is alike, or everything', () => {
    const next = numbers(5)
    const random = () => Array.from({ length: 50_000 }, () => `${next() % 30_000}`)
    const zeros = Array<string>(100_000).fill('0')
    const cases = [
      [random(), random()],
      [
        zeros,
        [...zeros.slice(0, 100), '1', ...zeros.slice(300, 80_000), '2', ...zeros.slice(79_000)],
      ],
    ] as const
    for (const [from, to] of cases) {
      const [base, mine] = [from.join('\n'), to.join('\n')]
      expect(merge3(base, mine, base).text).toBe(mine)
    }
  })
})

describe('diffTokens', () => {
  const tokens = fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 30 })

  /** Length of the longest common subsequence, by the textbook. */
  const common = (a: readonly string[], b: readonly string[]): number => {
    let row = new Array<number>(b.length + 1).fill(0)
    for (const token of a) {
      const next = [0]
      b.forEach((other, j) => {
        next.push(token === other ? row[j]! + 1 : Math.max(row[j + 1]!, next[j]!))
      })
      row = next
    }
    return row[b.length]!
  }

  it('keeps as much as can be kept, and kept tokens are equal', () => {
    fc.assert(
      fc.property(tokens, tokens, (a, b) => {
        let [i, j, kept] = [0, 0, 0]
        for (const { a0, a1, b0, b1 } of [
          ...diffTokens(a, b),
          { a0: a.length, a1: 0, b0: b.length, b1: 0 },
        ]) {
          expect(a.slice(i, a0)).toEqual(b.slice(j, b0))
          kept += a0 - i
          ;[i, j] = [a1, b1]
        }
        expect(kept).toBe(common(a, b))
      }),
      { numRuns: 1500 },
    )
  })
})
