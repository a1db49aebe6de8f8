import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import type { AgentId } from '../../../protocol/ids.ts'
import { OTHERS_MS, SHOW_MS } from '../../../tui/editor/session.ts'
import { visibleRows } from '../../../tui/editor/viewport.ts'
import { textOf } from '../../../workspace/document/schema.ts'
import { indexOf } from '../../../workspace/files/cursors.ts'
import { docWith, exchange, type Opened, open } from '../../support/tui/editor-session.ts'

const ann = 'a-ann' as AgentId
const bob = 'a-bob' as AgentId

/** The two documents of two people at the same file. */
const together = (content: string): [Opened, Opened] => {
  const doc = docWith(content)
  const other = new Y.Doc()
  exchange(doc, other)
  return [open(doc, 'a.md', ann), open(other, 'a.md', bob)]
}

describe('together', () => {
  const LETTERS = { a: ['a', 'b', ' ', '👩‍👩‍👧', '\n'], b: ['X', 'Y', '日', '🇩🇪', '\n'] }
  const keys = fc.constantFrom(
    ...['left', 'right', 'up', 'down', 'home', 'end', 'ctrl-right', 'shift-left', 'pageup'],
    ...['ctrl-home', 'ctrl-end', 'shift-down'],
  )
  const own = fc.constantFrom('backspace', 'delete', 'ctrl-w', 'ctrl-x', 'ctrl-v', 'tab', 'ctrl-k')
  const step = fc.oneof(
    fc.record({ who: fc.constantFrom(0, 1), key: keys }),
    fc.record({ who: fc.constantFrom(0, 1), letter: fc.nat(4) }),
    fc.record({ who: fc.constant(0), key: own }),
    fc.constant('exchange' as const),
  )
  const count = (text: string, letters: string) =>
    [...text].filter((char) => letters.includes(char)).length

  it('[TUI-29] two type at once: nothing is lost, all see the same, and undo takes back my own edits only', () => {
    let undone = 0
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const begin = 'first\n日本語\nlast'
        const [a, b] = together(begin)
        let typed = 0
        for (const one of steps) {
          if (one === 'exchange') {
            exchange(a.doc, b.doc)
            continue
          }
          const it = one.who === 0 ? a : b
          if ('key' in one) {
            // Only the first deletes: what the second one writes has to be there in the end.
            if (one.who === 1 && it.session.text.anchor !== it.session.text.head) it.keys('left')
            it.keys(one.key)
          } else {
            if (one.who === 1 && it.session.text.anchor !== it.session.text.head) it.keys('left')
            const letter = LETTERS[one.who === 0 ? 'a' : 'b'][one.letter]!
            if (one.who === 1)
              typed += count(letter, 'XY日🇩🇪'.replace('日', '')) + count(letter, '日')
            it.type(letter)
          }
          for (const { session, text } of [a, b]) {
            const { lines } = session.text
            expect(lines.slice(0, lines.length)).toBe(text())
            expect(text()).not.toContain('\ufffd')
          }
        }
        exchange(a.doc, b.doc)
        expect(a.text()).toBe(b.text())
        while (a.session.text.undo()) undone++
        exchange(a.doc, b.doc)
        expect(b.text()).toBe(a.text())
        expect(count(a.text(), 'XY🇩🇪日'), 'of the other').toBe(typed + 1)
        const rest = a.text().replace(/XY|[XY]|🇩🇪/gu, '')
        expect(count(rest, 'firstlast本語'), 'of before').toBe(11)
        expect(rest, 'of mine').not.toMatch(/[b👩]/u)
        while (a.session.text.redo()) undone++
        exchange(a.doc, b.doc)
        expect(b.text()).toBe(a.text())
      }),
      { numRuns: 200 },
    )
    expect(undone).toBeGreaterThan(100)
  })

  it('what was typed in one go is taken back in one, and not what another wrote within', () => {
    const [a, b] = together('')
    for (const letter of 'hello') a.type(letter)
    exchange(a.doc, b.doc)
    b.keys('ctrl-home', 'right', 'right')
    b.type('-bob-')
    exchange(a.doc, b.doc)
    expect(a.at()).toBe('he-bob-llo|')
    a.keys('ctrl-z')
    expect(a.text()).toBe('-bob-')
    a.keys('ctrl-z')
    expect(a.session.message).toBe('nothing of yours is left to take back')
    a.keys('ctrl-y')
    expect(a.text()).toBe('he-bob-llo')
    a.keys('ctrl-a', 'ctrl-x', 'ctrl-z')
    expect(a.text()).toBe('he-bob-llo')
  })

  it('[TUI-30] caret, selection and screen stay with their characters while others edit', () => {
    const [a, b] = together(Array.from({ length: 100 }, (_, i) => `line ${i}`).join('\n'))
    a.keys('ctrl-g')
    a.type('50')
    a.keys('enter', 'ctrl-shift-right')
    const [first] = visibleRows(a.session)
    expect(a.at()).toContain('\n[line] 49\n')
    b.keys('ctrl-home')
    b.type('new\nnew\n')
    exchange(a.doc, b.doc)
    expect(a.at()).toContain('\n[line] 49\n')
    expect(visibleRows(a.session)[0]!.place.line).toBe(first!.place.line + 2)
    // At its ends what others write is not in a selection.
    b.keys('ctrl-g')
    b.type('52')
    b.keys('enter')
    b.type('<')
    b.keys('ctrl-right')
    b.type('>')
    exchange(a.doc, b.doc)
    expect(a.at()).toContain('\n<[line]> 49\n')
    b.keys('ctrl-a', 'delete')
    exchange(a.doc, b.doc)
    expect(a.at()).toBe('|')
  })

  it('[TUI-31] others are told where the caret is, not at each key, and at the end that it is nowhere', () => {
    const [a] = together('some text')
    a.pass(SHOW_MS)
    a.shown.length = 0
    for (let i = 0; i < 10; i++) a.keys('right')
    expect(a.shown).toHaveLength(0)
    a.pass(SHOW_MS)
    expect(a.shown).toHaveLength(1)
    const text = textOf(a.doc, a.session.id)
    expect(indexOf(a.doc, text, `file:${a.session.id}`, a.shown[0]!.head)).toBe(9)
    a.keys('left')
    a.session.close()
    a.pass(10 * SHOW_MS)
    expect(a.shown.slice(1)).toEqual([null])
  })

  it('[TUI-31] whoever leaves by a key is not in the file any more, however long they stood still', () => {
    for (const key of ['esc', 'ctrl-q']) {
      const [a] = together('some text')
      a.pass(10 * SHOW_MS)
      a.keys(key)
      a.pass(10 * SHOW_MS)
      expect([a.left(), a.shown.at(-1)]).toEqual([1, null])
    }
  })

  it('[TUI-32] own keys are drawn at once, what others do at most 15 times a second', () => {
    const [a, b] = together('')
    let drawn = 0
    a.session.subscribe(() => drawn++)
    a.type('x')
    expect(drawn).toBe(1)
    drawn = 0
    for (let ms = 0; ms < 1_000; ms += 10) {
      b.type('y')
      exchange(a.doc, b.doc)
      a.pass(10)
    }
    expect(drawn).toBeGreaterThan(10)
    expect(drawn).toBeLessThanOrEqual(1_000 / OTHERS_MS + 1)
  })
})
