import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import type { AgentId, FileId } from '../../../protocol/ids.ts'
import { agentsOfTokens, authorRuns, runAt, tokenAt } from '../../../tui/editor/authors.ts'
import { Bursts, LONGEST_BURST_MS, PAUSE_MS } from '../../../tui/editor/bursts.ts'
import { Lines, MAX_PIECE } from '../../../tui/editor/lines.ts'
import { othersIn } from '../../../tui/editor/others.ts'
import {
  nextRow,
  offsetIn,
  previousRow,
  rowAt,
  rowsAway,
  textOfRow,
} from '../../../tui/editor/rows.ts'
import { findAll, matchFrom } from '../../../tui/editor/search.ts'
import { SharedText } from '../../../tui/editor/shared-text.ts'
import type { Presence } from '../../../workspace/agents/presence.ts'
import { textOf } from '../../../workspace/document/schema.ts'
import { cursorOver } from '../../../workspace/files/cursors.ts'
import { countEdit } from '../../../workspace/files/edit-counts.ts'

const MEGABYTE = 1024 * 1024
const file = 'a.md' as FileId
const ann = 'a-ann' as AgentId
const bob = 'a-bob' as AgentId

const rest = (lines: Lines, from: number, count: number, width: number): string[] => {
  const texts: string[] = []
  for (let row = rowAt(lines, from, width); texts.length < count; ) {
    texts.push(textOfRow(row))
    const next = nextRow(lines, row, width)
    if (next === null) break
    row = next
  }
  return texts
}

describe('the lines of a text', () => {
  it('[TUI-21] kept by its changes it is the text, by the same lines as if it were read anew', () => {
    const piece = fc.oneof(
      fc.string({ unit: fc.constantFrom('a', ' ', '\n', '\r\n', '日', '👩‍👩‍👧'), maxLength: 30 }),
      fc.constant('x'.repeat(5000)),
      fc.constant('日\n'.repeat(1500)),
    )
    const edits = fc.array(fc.tuple(fc.nat(), fc.nat(3000), piece), { maxLength: 12 })
    fc.assert(
      fc.property(piece, edits, fc.nat(), (begin, changes, somewhere) => {
        let text = begin
        const lines = new Lines(text)
        for (const [at, much, insert] of changes) {
          const from = at % (text.length + 1)
          const remove = Math.min(much, text.length - from)
          text = text.slice(0, from) + insert + text.slice(from + remove)
          lines.replace(from, remove, insert)
          expect(lines.length).toBe(text.length)
          expect(lines.slice(0, text.length)).toBe(text)
          expect(lines.count).toBe(text.split('\n').length)
        }
        const offset = somewhere % (text.length + 1)
        const place = lines.at(offset)
        expect(place.line).toBe(text.slice(0, offset).split('\n').length - 1)
        const start = lines.line(place.line).start
        expect(start).toBe(
          text.lastIndexOf('\n', offset - 1) * (offset > 0 ? 1 : 0) + (offset > 0 ? 1 : 0),
        )
        const end = text.indexOf('\n', offset)
        const stop =
          end === -1 ? text.length : text[end - 1] === '\r' && end > start ? end - 1 : end
        expect(lines.lineEnd(place)).toBe(stop)
      }),
      { numRuns: 300 },
    )
  })

  it('[TUI-22] an edit lays out what is on the screen and changed, in many lines and in one of 1 MB', () => {
    for (const text of [
      'word '.repeat(MEGABYTE / 5),
      'x'.repeat(MEGABYTE),
      'a line\n'.repeat(150_000),
    ]) {
      const lines = new Lines(text)
      const middle = MEGABYTE / 2
      rest(lines, middle, 40, 80)
      const before = lines.laidOut
      expect(before, 'the screen').toBeLessThanOrEqual(42 * MAX_PIECE)
      for (let i = 0; i < 100; i++) {
        lines.replace(middle + i, 0, 'y')
        rest(lines, middle, 40, 80)
      }
      expect(lines.laidOut - before, '100 keys').toBeLessThanOrEqual(200 * MAX_PIECE)
    }
  })

  it('rows go on from piece to piece and back the same way', () => {
    const lines = new Lines(`${'ab '.repeat(2000)}\nlast`)
    const first = rowAt(lines, 0, 20)
    const far = rowsAway(lines, first, 10_000, 20)
    expect(textOfRow(far)).toBe('last')
    expect(nextRow(lines, far, 20)).toBe(null)
    const back = rowsAway(lines, far, -10_000, 20)
    expect(back.from).toBe(0)
    expect(previousRow(lines, back, 20)).toBe(null)
    expect(offsetIn(first, 4, 20, lines)).toBe(4)
    expect(rowAt(lines, offsetIn(first, 99, 20, lines), 20).from, 'stays in its row').toBe(0)
  })
})

describe('around the text', () => {
  it('[TUI-23] a burst of typing is one change set, and a long one is counted on the way', () => {
    let now = 0
    let due: { at: number; run: () => void } | null = null
    let counted = 0
    const later = (ms: number, run: () => void) => {
      const timer = { at: now + ms, run }
      due = timer
      return () => {
        if (due === timer) due = null
      }
    }
    const pass = (ms: number) => {
      now += ms
      if (due !== null && due.at <= now) due.run()
    }
    const bursts = new Bursts(
      () => counted++,
      () => now,
      later,
    )
    for (let i = 0; i < 5; i++) {
      bursts.edited()
      pass(100)
    }
    expect(counted).toBe(0)
    pass(PAUSE_MS)
    expect(counted).toBe(1)
    bursts.edited()
    bursts.end()
    bursts.end()
    pass(PAUSE_MS)
    expect(counted, 'on leaving, once').toBe(2)
    for (let ms = 0; ms <= LONGEST_BURST_MS; ms += 1000) {
      bursts.edited()
      pass(1000)
    }
    expect(counted).toBe(3)
  })

  it('[TUI-24] a word is by whoever wrote its characters; a line names the authors of its words', () => {
    const [a, b] = [new Y.Doc(), new Y.Doc()]
    textOf(a, file).insert(0, 'ann wrote this\nand this\n')
    Y.applyUpdate(b, Y.encodeStateAsUpdate(a))
    textOf(b, file).insert(15, 'bob came later; ')
    textOf(b, file).insert(6, 'XX')
    countEdit(b, file, bob, 1)
    Y.applyUpdate(a, Y.encodeStateAsUpdate(b))
    const text = textOf(a, file).toJSON()
    const runs = authorRuns(a, file, [0, text.length], ann)
    expect(runs.map(({ from, to, agent }) => [text.slice(from, to), agent])).toEqual([
      ['ann wr', ann],
      ['XX', bob],
      ['ote this\n', ann],
      ['bob came later; ', bob],
      ['and this\n', ann],
    ])
    const [first, second] = text.split('\n') as [string, string]
    expect(agentsOfTokens(first, 0, runs)).toEqual([ann, bob])
    expect(agentsOfTokens(second, first.length + 1, runs)).toEqual([bob, ann])
    expect(agentsOfTokens('', 0, runs)).toEqual([])
    expect(runAt(runs, 7)?.agent).toBe(bob)
    expect(runAt(runs, text.length)).toBe(null)
    expect(authorRuns(a, file, [4, 9], null).map(({ agent }) => agent)).toEqual([null, bob, null])
    const token = (column: number) => {
      const range = tokenAt(first, column)
      return range && first.slice(...range)
    }
    expect([0, 3, 4, 11, 12].map(token)).toEqual(['ann', 'ann', 'wrXXote', 'wrXXote', 'this'])
    expect(tokenAt('  ', 1)).toBe(null)
  })

  it('[TUI-25] others are where their characters are; places that are none are left out', () => {
    const doc = new Y.Doc()
    textOf(doc, file).insert(0, 'one\ntwo\nthree')
    const at = (id: AgentId, cursor: Presence['cursor']): Presence => ({
      agent: { id, name: id, kind: 'agent' },
      ...(cursor && { cursor }),
    })
    const there = at(bob, cursorOver(doc, file, { from_line: 2, to_line: 2 }))
    const wrong = [
      at('a-x' as AgentId, { file, anchor: 1, head: null }),
      at('a-y' as AgentId, { file, anchor: { tname: 'agents' }, head: { tname: 'agents' } }),
      at(ann, cursorOver(doc, file, { from_line: 1, to_line: 1 })),
    ]
    textOf(doc, file).insert(0, 'before\n')
    const found = othersIn(doc, file, [...wrong, there], ann)
    expect(found.map(({ id, anchor, head }) => [id, anchor, head])).toEqual([[bob, 11, 14]])
  })

  it('[TUI-26] search is literal or /regex/, heeds case where the query has upper case, and goes around', () => {
    const text = 'Foo foo a.b axb\nfoo'
    expect(findAll(text, 'foo').matches).toEqual([
      [0, 3],
      [4, 7],
      [16, 19],
    ])
    expect(findAll(text, 'Foo').matches).toEqual([[0, 3]])
    expect(findAll(text, 'a.b').matches).toEqual([[8, 11]])
    expect(findAll(text, '/a.b/').matches).toEqual([
      [8, 11],
      [12, 15],
    ])
    expect(findAll(text, '/^foo$/').matches).toEqual([[16, 19]])
    expect(findAll(text, '/(/').error).toMatch(/Invalid regular expression/)
    expect(findAll('a'.repeat(20_000), 'a').isMore).toBe(true)
    const { matches } = findAll(text, 'foo')
    expect([matchFrom(matches, 5, 1), matchFrom(matches, 17, 1)]).toEqual([2, 0])
    expect([matchFrom(matches, 5, -1), matchFrom(matches, 0, -1)]).toEqual([1, 2])
  })

  it('[TEXT-6] its characters are where Yjs has them, whatever else is in the text', () => {
    const doc = new Y.Doc()
    const text = textOf(doc, file)
    text.insert(0, 'one\ntwo\n')
    text.insertEmbed(0, { image: 'x.png' })
    const shared = new SharedText(doc, file, () => {})
    // Values of an array, in the same root.
    const other = new Y.Doc()
    other.getArray(`file:${file}`).push([1, 'a', { b: 2 }])
    Y.applyUpdate(doc, Y.encodeStateAsUpdate(other))
    text.insertEmbed(3, new Y.Map())
    const at = shared.lines.slice(0, shared.lines.length).indexOf('two')
    expect(shared.lines.length).toBe(text.length)
    shared.edit([{ from: at, to: at + 3, insert: 'TWO' }])
    expect(text.toJSON()).toBe('one\nTWO\n')
    expect(shared.lines.slice(0, shared.lines.length).replaceAll('\ufffc', '')).toBe('one\nTWO\n')
    shared.undo()
    expect(text.toJSON()).toBe('one\ntwo\n')
    shared.close()
  })
})
