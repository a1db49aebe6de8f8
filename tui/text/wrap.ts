import { cellsOf, widthAt } from './cells.ts'

/**
 * Offsets at which the rows of a text wrapped at `width` cells begin: after a space if the row has
 * one, else between two graphemes. A grapheme wider than the row gets its own row. The first row
 * begins at 0.
 */
export const wrapRows = (text: string, width: number): number[] => {
  const starts = [0]
  const cells = cellsOf(text)
  let first = 0
  let space = -1
  let column = 0
  // A row is gone through again at most once, from its last space on: the work is linear.
  for (let i = 0; i < cells.length; i++) {
    const cell = cells[i]!
    const next = column + widthAt(cell, column)
    if (next > width && i > first) {
      first = space > first ? space : i
      starts.push(cells[first]!.at)
      i = first - 1
      column = 0
      space = -1
      continue
    }
    column = next
    if (cell.text === ' ' || cell.text === '\t') space = i + 1
  }
  return starts
}
