import fc from 'fast-check'
import stringWidth from 'string-width'
import { describe, expect, it } from 'vitest'
import { LazySegmenter } from '../../tui/terminal/lazy-segmenter.ts'
import { cellsOf, TAB_CELLS, widthAt } from '../../tui/text/cells.ts'
import { cut, harmless, widthOf } from '../../tui/text/display.ts'
import { isNarrow, quickWidth } from '../../tui/text/narrow.ts'
import { wrapRows } from '../../tui/text/wrap.ts'

const hard = fc.string({
  unit: fc.constantFrom(
    ...['a', 'b', ' ', '\t', '日', '👩‍👩‍👧', '🇩🇪', 'é', 'e\u0301', '\u0301'],
    ...['\u001b', '\u009b', '\u202e', '\u200b', '\u2028', '\ud800', '\u0007', '한'],
  ),
  maxLength: 80,
})

describe('text in cells', () => {
  it('[TUI-20] controls, and what reorders or hides text, is in sight on one cell and does nothing', () => {
    const shown = (text: string) => cellsOf(text).map((cell) => [cell.text, cell.width])
    expect(shown('\u001b[2J')[0]).toEqual(['␛', 1])
    expect(shown('\u007f')).toEqual([['␡', 1]])
    for (const char of ['\u009b', '\u202e', '\u2066', '\u200b', '\u2028', '\ufeff', '\ud800']) {
      expect(shown(char), char.charCodeAt(0).toString(16)).toEqual([['\ufffd', 1]])
    }
    expect(shown(`a${'\u0301'.repeat(40)}`)).toEqual([['\ufffd', 1]])
    fc.assert(
      fc.property(hard, (text) => {
        for (const cell of cellsOf(text)) {
          if (cell.text === '\t') continue
          expect(cell.text).not.toMatch(/[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}]/u)
          expect(cell.width).toBe(stringWidth(cell.text))
        }
      }),
    )
  })

  it('a grapheme is one cell: wide ones, joined emoji, flags, combining marks; tabs go to the next stop', () => {
    expect(cellsOf('日👩‍👩‍👧🇩🇪e\u0301').map(({ size, width }) => [size, width])).toEqual([
      [1, 2],
      [8, 2],
      [4, 2],
      [2, 1],
    ])
    const [, , tab] = cellsOf('ab\tc')
    expect([0, 2, 3, 4].map((column) => widthAt(tab!, column))).toEqual([
      TAB_CELLS,
      2,
      1,
      TAB_CELLS,
    ])
    expect(cut('日本語', 5)).toBe('日本…')
    expect(cut('日本', 4)).toBe('日本')
    expect(cut('ab👩‍👩‍👧c', 4)).toBe('ab…')
  })

  it('[TUI-20] of a line that others wrote the same is harmless, and joined emoji stay one', () => {
    expect(harmless('a\nb\tc\u001b[2J')).toBe('a b c␛[2J')
    expect(harmless('👩‍👩‍👧 👁️‍🗨️ می‌خواهم')).toBe('👩‍👩‍👧 👁️‍🗨️ می‌خواهم')
    // Between letters that need no joiner it would hide; tags could be a text of their own.
    expect(harmless('pay\u200cpal x\u{e0041}\u200d')).toBe('pay\\u200cpal x\\u{e0041}\\u200d')
    expect(harmless('a\u00ad\u3164\u2800\u{1d173}')).toBe('a\\u00ad\\u3164\\u2800\\u{1d173}')
    // In the editor each is one cell, so that the caret is where it seems to be.
    expect(cellsOf('a\u{e0041}b\u00ad').map(({ text }) => text)).toEqual(['a\ufffd', 'b', '\ufffd'])
    fc.assert(
      fc.property(hard, (text) => {
        const shown = harmless(text)
        expect(shown).not.toMatch(/[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}\u200b]/u)
        expect(harmless(shown)).toBe(shown)
        expect(widthOf(shown)).toBe(stringWidth(shown))
      }),
    )
  })

  it('rows hold the whole text, none is wider than the screen, none begins within a grapheme', () => {
    fc.assert(
      fc.property(hard, fc.integer({ min: 4, max: 20 }), (text, width) => {
        const starts = wrapRows(text, width)
        const borders = new Set(cellsOf(text).map(({ at }) => at))
        for (const [i, start] of starts.entries()) {
          if (i > 0) expect(start).toBeGreaterThan(starts[i - 1]!)
          if (i > 0) expect(borders).toContain(start)
          let column = 0
          for (const cell of cellsOf(text.slice(start, starts[i + 1]))) {
            column += widthAt(cell, column)
          }
          expect(column).toBeLessThanOrEqual(width)
        }
      }),
    )
    expect(wrapRows('one two three', 8)).toEqual([0, 8])
    expect(wrapRows('abcdefghij', 4)).toEqual([0, 4, 8])
  })
})

it('narrow text has a cell for each unit, by string-width and by the graphemes of Node, too', () => {
  const segmenter = new Intl.Segmenter()
  const narrow: string[] = []
  for (let code = 0; code < 0x10000; code++) {
    const char = String.fromCharCode(code)
    if (!isNarrow(char)) continue
    narrow.push(char)
    expect(stringWidth(char), code.toString(16)).toBe(1)
  }
  expect(narrow.length).toBeGreaterThan(1_000)
  const all = narrow.join('')
  expect([...segmenter.segment(all)].length).toBe(all.length)
  expect(stringWidth(all)).toBe(all.length)
  fc.assert(
    fc.property(
      fc.array(
        fc.constantFrom(...narrow, '\u001b[1;31m', '\u001b[0m', '日', '🚀', '\ufe0f', '\u0301'),
      ),
      (parts) => {
        const text = parts.join('')
        expect(quickWidth(text)).toBe(stringWidth(text))
      },
    ),
  )
})

it('a lazy segmenter finds the graphemes that Node finds', () => {
  const text = 'a🚀é日'
  const lazy = new LazySegmenter(undefined, { granularity: 'grapheme' })
  expect([...lazy.segment(text)]).toEqual([...new Intl.Segmenter().segment(text)])
  expect(lazy.segment(text).containing(2)?.index).toBe(1)
})
