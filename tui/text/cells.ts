import { replaceHidden } from '../../lib/text/visible.ts'
import { isNarrow, quickWidth } from './narrow.ts'

/** A grapheme on the screen: the text drawn for it, and its width in cells. */
export interface Cell {
  /** UTF-16 offset of the grapheme in its text, and its length there. */
  at: number
  size: number
  text: string
  width: number
}

/** Cells from one tab stop to the next. */
export const TAB_CELLS = 4
/** A longer grapheme occurs in no language: marks are piled up to paint over other lines. */
const MAX_GRAPHEME_UNITS = 32
/** Remembered graphemes (count); texts use few different ones. */
const REMEMBERED = 4096

const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' })
const known = new Map<string, { text: string; width: number }>()

/** One unit is one grapheme. */
const isPlain = (text: string): boolean => isNarrow(text) || /^[\t\u0020-\u007e]*$/.test(text)

/** Drawn in place of a grapheme that is not harmless. */
const STRANGE = '\ufffd'

/** Shows a control or a reordering character visibly on one cell, and any other grapheme unchanged. */
const look = (grapheme: string): { text: string; width: number } => {
  const code = grapheme.charCodeAt(0)
  if (code < 0x20) return { text: String.fromCharCode(0x2400 + code), width: 1 }
  if (code === 0x7f) return { text: '\u2421', width: 1 }
  if (/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}]/u.test(grapheme))
    return { text: STRANGE, width: 1 }
  if (grapheme.length > MAX_GRAPHEME_UNITS) return { text: STRANGE, width: 1 }
  const width = quickWidth(grapheme)
  return width === 0 ? { text: STRANGE, width: 1 } : { text: grapheme, width }
}

const lookOf = (grapheme: string): { text: string; width: number } => {
  let found = known.get(grapheme)
  if (found === undefined) {
    found = look(grapheme)
    if (known.size >= REMEMBERED) known.clear()
    known.set(grapheme, found)
  }
  return found
}

/** Invisible parts of a text: offset and length. Joiners in words and emoji do not count. */
const hiddenIn = (text: string): Map<number, number> => {
  const found = new Map<number, number>()
  replaceHidden(text, (char, at) => {
    // Controls and the like are graphemes by themselves, which `look` knows.
    if (!/[\p{Cc}\p{Cs}]/u.test(char)) found.set(at, char.length)
    return char
  })
  return found
}

const inSight = (grapheme: string, index: number, hidden: ReadonlyMap<number, number>): string => {
  if (hidden.size === 0) return grapheme
  let shown = ''
  for (let i = 0; i < grapheme.length; ) {
    const length = hidden.get(index + i)
    shown += length === undefined ? grapheme[i] : STRANGE
    i += length ?? 1
  }
  return shown
}

/** The cells of a text without line ends. A tab's width is that at column 0: see `widthAt`. */
export const cellsOf = (text: string): Cell[] => {
  const cells: Cell[] = []
  if (isPlain(text)) {
    for (let at = 0; at < text.length; at++) {
      const isTab = text[at] === '\t'
      cells.push({ at, size: 1, text: isTab ? '\t' : text[at]!, width: isTab ? TAB_CELLS : 1 })
    }
    return cells
  }
  const hidden = hiddenIn(text)
  for (const { index, segment } of graphemes.segment(text)) {
    const shown =
      segment === '\t' ? { text: '\t', width: TAB_CELLS } : lookOf(inSight(segment, index, hidden))
    cells.push({ at: index, size: segment.length, ...shown })
  }
  return cells
}

/** Columns of a cell that begins in this column. */
export const widthAt = (cell: Cell, column: number): number =>
  cell.text === '\t' ? TAB_CELLS - (column % TAB_CELLS) : cell.width

/** The text drawn for a cell in this column. */
export const textAt = (cell: Cell, column: number): string =>
  cell.text === '\t' ? ' '.repeat(widthAt(cell, column)) : cell.text

/** The grapheme that holds the unit at `index`: where it begins and ends. */
export const graphemeAt = (text: string, index: number): { from: number; to: number } => {
  const found = graphemes.segment(text).containing(index)
  if (found === undefined) return { from: index, to: index }
  return { from: found.index, to: found.index + found.segment.length }
}
