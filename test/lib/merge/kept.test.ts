import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { applyEdits, type TextEdit } from '../../../lib/merge/edits.ts'
import { merge3 } from '../../../lib/merge/merge.ts'

const removedBy = (edits: readonly TextEdit[]): number =>
  edits.reduce((sum, { remove }) => sum + remove, 0)

/** Units between the characters that two texts share at their ends: the smallest single replacement removes them. */
const spanOf = (from: string, to: string): number => {
  const [a, b] = [charactersIn(from), charactersIn(to)]
  while (a.length > 0 && a[0] === b[0]) for (const side of [a, b]) side.shift()
  while (a.length > 0 && a.at(-1) === b.at(-1)) for (const side of [a, b]) side.pop()
  return a.join('').length
}

const charactersIn = (text: string): string[] => text.match(CHARACTER) ?? []
const CHARACTER = /\r\n|[\s\S]/gu
const word = fc.constantFrom(
  'a',
  'the',
  'server',
  'keeps',
  'each',
  'words',
  '}',
  'x1',
  'x2',
  '漢字',
)
const line = fc.array(word, { maxLength: 6 }).map((words) => words.join(' '))
const lines = fc.array(line, { minLength: 1, maxLength: 12 })
const end = fc.constantFrom('\n', '\n', '\r\n')
const text = fc
  .tuple(lines, end, fc.boolean())
  .map(([all, eol, closed]) => all.join(eol) + (closed ? eol : ''))

/** The boundaries of lines, words or characters of a text. */
const boundaries = {
  lines: /[^\n]*\n|[^\n]+/g,
  words: /\w+|\r\n|\W/g,
  characters: CHARACTER,
}
const kind = fc.constantFrom<keyof typeof boundaries>('lines', 'words', 'characters')

/** A text, and the same with one change of whole lines, of words or of characters. */
const changed = fc
  .tuple(
    text,
    kind,
    fc.nat(),
    fc.nat(4),
    fc.array(fc.oneof(word, end, fc.constant(' ')), { maxLength: 3 }),
  )
  .map(([old, by, at, count, insert]) => {
    const parts = old.match(boundaries[by]) ?? []
    const from = parts.length === 0 ? 0 : at % (parts.length + 1)
    const added = insert.join('') + (by === 'lines' && insert.length > 0 ? '\n' : '')
    const now = [...parts.slice(0, from), added, ...parts.slice(from + count)].join('')
    return { old, now }
  })

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
      'internationalization now\n',
      'words now\n',
      { index: 0, remove: 20, insert: 'words' },
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

  it('of one change of lines, words or characters, no more is written anew than in the smallest replacement', () => {
    fc.assert(
      fc.property(changed, ({ old, now }) => {
        const { edits, text } = merge3(old, now, old)
        expect(text).toBe(now)
        expect(applyEdits(old, edits)).toBe(now)
        expect(removedBy(edits)).toBeLessThanOrEqual(spanOf(old, now))
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
        expect(removedBy(edits)).toBeLessThanOrEqual(spanOf(old, now))
      }),
      { numRuns: 2_000 },
    )
  })
})
