import type { Look } from '../highlight/look.ts'
import type { Event } from '../model/state.ts'
import { clip, cut, harmless, widthOf as measure } from '../text/display.ts'

/**
 * The meaning of a segment. `tui/ui/palette.ts` maps it to one of the terminal's own 16 colours. Each state also has a symbol or a word; the tone alone never shows it.
 */
export type Tone = 'plain' | 'dim' | 'strong' | 'accent' | 'good' | 'warn' | 'bad'

export interface Segment {
  text: string
  tone?: Tone
  /** The look of a word in a language, which the theme has; over the tone. */
  look?: Look
  /** Drawn inverted: where the keys go. */
  picked?: boolean
  /** The effect of a click on it. */
  click?: Event
}

/** One line of the screen. */
export type Row = readonly Segment[]

/** The longest part of a text that a line can show, in UTF-16 units; the rest is not measured. */
export const MAX_SAID = 2_000

/** A segment of text that others wrote. */
export const said = (text: string, tone: Tone = 'plain'): Segment => ({
  text: harmless(text.length > MAX_SAID ? `${text.slice(0, MAX_SAID)}…` : text),
  tone,
})

export const seg = (text: string, tone: Tone = 'plain'): Segment => ({ text, tone })

/** Remembered widths of texts (count): those of a few screens. */
const REMEMBERED = 8_192
const widths = new Map<string, number>()

/** Cells that a harmless text takes; the same ones stand on the screen frame after frame, and are measured once. */
export const cachedWidthOf = (text: string): number => {
  const known = widths.get(text)
  if (known !== undefined) return known
  if (widths.size >= REMEMBERED) widths.clear()
  const width = measure(text)
  widths.set(text, width)
  return width
}

/** Cut texts, by the cells that they were cut to. */
const cuts = new Map<number, Map<string, string>>()
let cutCount = 0

/** The text cut to `width` cells; remembered as widths are. */
const cachedCut = (text: string, width: number): string => {
  let known = cuts.get(width)
  const found = known?.get(text)
  if (found !== undefined) return found
  if (cutCount++ >= REMEMBERED) {
    cuts.clear()
    cutCount = 0
    known = undefined
  }
  if (known === undefined) {
    known = new Map()
    cuts.set(width, known)
  }
  const short = cut(text, width)
  known.set(text, short)
  return short
}

export const rowWidth = (row: Row): number =>
  row.reduce((sum, { text }) => sum + cachedWidthOf(text), 0)

export const rowText = (row: Row): string => row.map(({ text }) => text).join('')

/** The row in at most `width` cells; a cut row ends in an ellipsis. */
export const cutRow = (row: Row, width: number): Row => {
  if (rowWidth(row) <= width) return row
  const shown: Segment[] = []
  let left = width
  for (const segment of row) {
    const used = cachedWidthOf(segment.text)
    if (used < left) {
      shown.push(segment)
      left -= used
      continue
    }
    // The ellipsis takes one cell.
    const text = used === left ? `${clip(segment.text, left - 1)}…` : cachedCut(segment.text, left)
    if (left > 0) shown.push({ ...segment, text })
    break
  }
  return shown
}

/** The row in exactly `width` cells. */
export const fitRow = (row: Row, width: number): Row => {
  const shown = cutRow(row, width)
  const missing = width - rowWidth(shown)
  return missing > 0 ? [...shown, { text: ' '.repeat(missing) }] : shown
}

/** `left` and `right` at the two ends of a row; `left` is cut where they meet. */
export const spread = (left: Row, right: Row, width: number): Row => {
  const end = cutRow(right, width)
  const gap = width - rowWidth(end)
  return gap <= 1 ? end : [...fitRow(left, gap - 1), { text: ' ' }, ...end]
}

/** The row as the selected one. */
export const picked = (row: Row): Row => row.map((segment) => ({ ...segment, picked: true }))

/** The row, of which a click anywhere does this. */
export const clickable = (row: Row, click: Event): Row =>
  row.map((segment) => ({ click, ...segment }))

/** The effect of a click on column `x` (0-based) of the row; null for none. */
export const clickAt = (row: Row, x: number): Event | null => {
  let end = 0
  for (const segment of row) {
    end += cachedWidthOf(segment.text)
    if (x < end) return segment.click ?? null
  }
  return null
}

/** A column of a table: `grow` is its share of the free cells, `min` its fewest cells. */
export interface Column {
  title: string
  min: number
  grow: number
}

/**
 * The cells of each column in `width`, with one cell between columns. Columns without room get 0,
 * from the last on.
 */
export const columnWidths = (columns: readonly Column[], width: number): number[] => {
  let shown = columns.length
  const need = () => columns.slice(0, shown).reduce((sum, { min }) => sum + min + 1, -1)
  while (shown > 1 && need() > width) shown--
  const left = Math.max(0, width - need())
  const total = columns.slice(0, shown).reduce((sum, { grow }) => sum + grow, 0)
  let given = 0
  return columns.map(({ min, grow }, i) => {
    if (i >= shown) return 0
    const more = total === 0 ? 0 : Math.floor((left * grow) / total)
    const isLast = columns.slice(i + 1, shown).every((column) => column.grow === 0)
    const extra = grow > 0 && isLast ? left - given : more
    if (grow > 0) given += extra
    return min + (grow > 0 ? extra : 0)
  })
}

/** A row of a table. */
export const tableRow = (cells: readonly Row[], widths: readonly number[]): Row =>
  cells.flatMap((cell, i) => {
    const width = widths[i] ?? 0
    return width === 0 ? [] : [...(i > 0 ? [{ text: ' ' }] : []), ...fitRow(cell, width)]
  })
