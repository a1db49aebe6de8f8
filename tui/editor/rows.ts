import { cellsOf, widthAt } from '../text/cells.ts'
import type { Lines, Place } from './lines.ts'

/** One row of the screen: part of a piece, by offsets in the text. */
export interface TextRow {
  place: Place
  /** Which row of the piece it is. */
  index: number
  from: number
  /** The end of its text, without a line end. */
  to: number
}

const rowOf = (lines: Lines, place: Place, index: number, width: number): TextRow => {
  const starts = lines.rows(place.piece, width)
  const from = place.start + starts[index]!
  const next = starts[index + 1]
  return { place, index, from, to: place.start + (next ?? place.piece.text.length) }
}

/** The row that holds an offset. */
export const rowAt = (lines: Lines, offset: number, width: number): TextRow => {
  const place = lines.at(offset)
  const starts = lines.rows(place.piece, width)
  let [low, high] = [0, starts.length - 1]
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if (starts[middle]! <= offset - place.start) low = middle
    else high = middle - 1
  }
  return rowOf(lines, place, low, width)
}

export const nextRow = (lines: Lines, row: TextRow, width: number): TextRow | null => {
  if (row.index + 1 < lines.rows(row.place.piece, width).length) {
    return rowOf(lines, row.place, row.index + 1, width)
  }
  const place = lines.next(row.place)
  return place && rowOf(lines, place, 0, width)
}

export const previousRow = (lines: Lines, row: TextRow, width: number): TextRow | null => {
  if (row.index > 0) return rowOf(lines, row.place, row.index - 1, width)
  const place = lines.previous(row.place)
  return place && rowOf(lines, place, lines.rows(place.piece, width).length - 1, width)
}

/** The row `by` rows on, or back if negative; stops at the first and at the last row. */
export const rowsAway = (lines: Lines, row: TextRow, by: number, width: number): TextRow => {
  let found = row
  for (let i = 0; i < Math.abs(by); i++) {
    const next = by > 0 ? nextRow(lines, found, width) : previousRow(lines, found, width)
    if (next === null) break
    found = next
  }
  return found
}

/** The row's text. */
export const textOfRow = ({ place, from, to }: TextRow): string =>
  place.piece.text.slice(from - place.start, to - place.start)

/** The column at which an offset of the row is drawn. */
export const columnOf = (row: TextRow, offset: number): number => {
  let column = 0
  for (const cell of cellsOf(textOfRow(row))) {
    if (row.from + cell.at >= offset) break
    column += widthAt(cell, column)
  }
  return column
}

/** The offset in the row that is drawn at a column, or before it where a wide character covers it. */
export const offsetIn = (row: TextRow, wanted: number, width: number, lines: Lines): number => {
  let column = 0
  const cells = cellsOf(textOfRow(row))
  for (const cell of cells) {
    const next = column + widthAt(cell, column)
    if (next > wanted) return row.from + cell.at
    column = next
  }
  // The end of a row that goes on is the beginning of the next one.
  const goesOn =
    row.index + 1 < lines.rows(row.place.piece, width).length ||
    (row.place.piece.ending === '' && lines.next(row.place) !== null)
  const last = cells.at(-1)
  return goesOn && last !== undefined ? row.from + last.at : row.to
}
