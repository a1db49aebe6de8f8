import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { applyEdits, type TextEdit } from '../../../lib/merge/edits.ts'
import { merge3 } from '../../../lib/merge/merge.ts'

const removedBy = (edits: readonly TextEdit[]): number =>
  edits.reduce((sum, { remove }) => sum + remove, 0)

/** The smallest single replacement of one text by another: all between the characters that they share at their ends. */
const spanOf = (from: string, to: string): TextEdit => {
  const [a, b] = [charactersIn(from), charactersIn(to)]
  let index = 0
  for (; a.length > 0 && a[0] === b[0]; b.shift()) index += a.shift()!.length
  for (; a.length > 0 && a.at(-1) === b.at(-1); b.pop()) a.pop()
  return { index, remove: a.join('').length, insert: b.join('') }
}

const charactersIn = (text: string): string[] => text.match(CHARACTER) ?? []
const CHARACTER = /\r\n|[\s\S]/gu
const word = fc.constantFrom('a', 'the', 'server', 'keeps', 'each', 'words', '}', '漢字')
const lines = fc
  .array(fc.array(word, { maxLength: 6 }), { minLength: 1, maxLength: 12 })
  .map((all) => all.map((words, i) => [i, ...words].join(' ')))
const end = fc.constantFrom('\n', '\n', '\r\n')
const text = fc
  .tuple(lines, end, fc.boolean())
  .map(([all, eol, closed]) => all.join(eol) + (closed ? eol : ''))

/** Places of a change: between lines, words or characters. */
const PARTS = { lines: /[^\n]*\n|[^\n]+/g, words: /\w+|\r\n|\W/g, characters: CHARACTER }
const kind = fc.constantFrom<keyof typeof PARTS>('lines', 'words', 'characters')
const added = fc.array(fc.oneof(word, end, fc.constant(' ')), { maxLength: 3 })

/** Tells whether a change leaves at least half of the line that it is in, or of those that it begins and ends in. */
const leavesHalf = (old: string, { index, remove, insert }: TextEdit): boolean => {
  const [before, gone, after] = [
    old.slice(0, index),
    old.slice(index, index + remove),
    old.slice(index + remove),
  ]
  const head = before.split('\n').at(-1)!.length
  const tail = after.split(/\r?\n/)[0]!.length
  const parts = gone.split('\n')
  if (parts.length === 1) return head + tail >= Math.max(remove, insert.length)
  return head >= parts[0]!.length && tail >= parts.at(-1)!.length
}

/** A text, and the same with one change that leaves at least half of the lines it is in. */
const changed = fc
  .tuple(text, kind, fc.nat(), fc.nat(4), added)
  .map(([old, by, at, count, insert]) => {
    const parts = old.match(PARTS[by]) ?? []
    const first = parts.length === 0 ? 0 : at % (parts.length + 1)
    const now = [...parts.slice(0, first), ...insert, ...parts.slice(first + count)].join('')
    return { old, now }
  })
  .filter(({ old, now }) => leavesHalf(old, spanOf(old, now)))

describe('[FILE-25] what stays of a text is not written anew', () => {
  it.each([
    ['a line end goes', 'foo\nbar\nbaz\n', 'foobar\nbaz\n', { index: 3, remove: 1, insert: '' }],
    [
      'two lines are joined by a word',
      'one\ntwo\n',
      'one and two\n',
      { index: 3, remove: 1, insert: ' and ' },
    ],
    ['a CRLF goes', 'foo\r\nbar\r\n', 'foobar\r\n', { index: 3, remove: 2, insert: '' }],
    ['a line is cut in two', 'foobar\n', 'foo\nbar\n', { index: 3, remove: 0, insert: '\n' }],
    [
      'most of a line is replaced',
      'internationalization of words\n',
      'naming of words\n',
      { index: 0, remove: 20, insert: 'naming' },
    ],
    [
      'a change across lines',
      'see foo\nbar here\n',
      'see X here\n',
      { index: 4, remove: 7, insert: 'X' },
    ],
  ])('%s', (_, old, now, edit) => {
    expect(merge3(old, now, old).edits).toEqual([edit])
  })

  it('of one change that leaves half of its lines, no more is written anew than in the smallest replacement', () => {
    fc.assert(
      fc.property(changed, ({ old, now }) => {
        const { edits, text } = merge3(old, now, old)
        expect(text).toBe(now)
        expect(applyEdits(old, edits)).toBe(now)
        expect(removedBy(edits)).toBeLessThanOrEqual(spanOf(old, now).remove)
      }),
      { numRuns: 5_000 },
    )
  })

  it('the same while others change other lines', () => {
    fc.assert(
      fc.property(changed, lines, ({ old, now }, more) => {
        const before = `first\n${'-\n'.repeat(3)}`
        const theirs = `${more.join('\n')}\n${'-\n'.repeat(3)}`
        const { edits, text } = merge3(before + old, before + now, theirs + old)
        expect(text).toBe(theirs + now)
        expect(removedBy(edits)).toBeLessThanOrEqual(spanOf(old, now).remove)
      }),
      { numRuns: 2_000 },
    )
  })
})
