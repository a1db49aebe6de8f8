import { nextRow, offsetIn, rowAt, rowsAway, type TextRow } from './rows.ts'
import type { EditorSession } from './session.ts'

/** Rows that a notch of the wheel moves. */
const WHEEL_ROWS = 3

/**
 * The rows on the screen, after it has gone to where the caret is: by as little as that needs, and where it is further
 * than a page away to the middle.
 */
export const visibleRows = (session: EditorSession): TextRow[] => {
  const { text, width, height } = session
  const { lines } = text
  let top = rowAt(lines, Math.min(text.top, lines.length), width)
  if (session.follows) {
    const caret = rowAt(lines, text.head, width)
    const bottom = rowsAway(lines, top, height - 1, width)
    if (caret.from < top.from) {
      const isNear = caret.from >= rowsAway(lines, top, -height, width).from
      top = isNear ? caret : rowsAway(lines, caret, -(height >> 1), width)
    } else if (caret.from > bottom.from) {
      const isNear = caret.from <= rowsAway(lines, bottom, height, width).from
      top = rowsAway(lines, caret, -(isNear ? height - 1 : height >> 1), width)
    }
  }
  text.top = top.from
  const rows = [top]
  while (rows.length < height) {
    const next = nextRow(lines, rows.at(-1)!, width)
    if (next === null) break
    rows.push(next)
  }
  return rows
}

export const scroll = (session: EditorSession, kind: 'up' | 'down'): void => {
  const { text, width, height } = session
  const { lines } = text
  const top = rowAt(lines, Math.min(text.top, lines.length), width)
  const target = rowsAway(lines, top, kind === 'up' ? -WHEEL_ROWS : WHEEL_ROWS, width)
  // The last row is seen at the bottom at least.
  const last = rowsAway(lines, rowAt(lines, lines.length, width), 1 - height, width)
  session.scrolled(Math.min(target.from, Math.max(last.from, top.from)))
}

/** Puts the caret where the text is that is drawn on a cell of the text's area. */
export const clickOn = (session: EditorSession, column: number, y: number): void => {
  const { text, width } = session
  const rows = visibleRows(session)
  const row = rows[Math.min(y, rows.length - 1)]
  if (row === undefined || y < 0) return
  const offset = offsetIn(row, Math.max(0, column), width, text.lines)
  text.select(offset, offset)
  session.goal = null
  session.draw()
}
