import { cellsOf, textAt, widthAt } from '../text/cells.ts'
import { cut, fitText, harmless, widthOf } from '../text/display.ts'
import { writersOf } from './authors.ts'
import type { Place } from './lines.ts'
import type { Other } from './others.ts'
import { columnOf, type TextRow, textOfRow } from './rows.ts'
import type { Range } from './search.ts'
import type { EditorSession } from './session.ts'
import { visibleRows } from './viewport.ts'

/** The style of a part of a row; `colour` is an SGR colour, an offset to 30. */
export interface Look {
  colour?: number
  bold?: boolean
  dim?: boolean
  underline?: boolean
  inverse?: boolean
}

export interface Span {
  text: string
  look: Look
}

/** Cells in which the author of a line is named. */
const AUTHOR_CELLS = 12
/** Narrower than this there is text only. */
const MIN_GUTTER_COLUMNS = 30

const PLAIN: Look = {}
const DIM: Look = { dim: true }
const SELECTED: Look = { inverse: true }
const CARET: Look = { inverse: true, bold: true, underline: true }
const MATCH: Look = { bold: true, underline: true }

/** Cells left of the text: who wrote the line, its number, whose caret is in it. */
export const gutterOf = (session: EditorSession, columns: number): number => {
  if (columns < MIN_GUTTER_COLUMNS) return 0
  const digits = Math.max(3, String(session.text.lines.count).length)
  return digits + 2 + (session.isShowingAuthors ? AUTHOR_CELLS : 0)
}

/** Sets how much room the text has; one cell at the end of a row is left for a caret. */
export const fitInto = (session: EditorSession, columns: number, height: number): void => {
  session.width = Math.max(2, columns - gutterOf(session, columns) - 1)
  session.height = Math.max(1, height)
}

/** The rows of text on the screen, in `columns` cells or less. */
export const drawRows = (session: EditorSession, columns: number, coloured: boolean): Span[][] => {
  const rows = visibleRows(session)
  const others = session.others
  const matches = session.prompt.open?.kind === 'find' ? session.prompt.found.matches : []
  const authors = session.isShowingAuthors ? authorsOf(session, rows) : null
  const gutter = gutterOf(session, columns)
  // A selection of several lines is marked in the margin, so that the text stays readable.
  const wide = gutter === 0 ? [] : others.filter((other) => isWide(session, other))
  const narrow = others.map((other) =>
    wide.includes(other) ? { ...other, anchor: other.head } : other,
  )
  return rows.map((row) => {
    const mine = others.filter(({ head }) => holds(session, row, head))
    const over = wide.filter(
      ({ anchor, head }) => Math.min(anchor, head) <= row.to && row.from < Math.max(anchor, head),
    )
    return [
      ...(gutter === 0 ? [] : gutterSpans(row, gutter, { mine, over }, authors, coloured)),
      ...textSpans(session, row, narrow, matches, coloured),
      ...labels(session, row, mine, coloured),
    ]
  })
}

/**
 * True if a caret at this offset stands in the row. The end of a wrapped row belongs to the next
 * row.
 */
const holds = ({ text: { lines } }: EditorSession, row: TextRow, offset: number): boolean =>
  offset >= row.from && (offset < row.to || (offset === row.to && isEnd(row, lines)))

const isEnd = ({ place, to }: TextRow, lines: EditorSession['text']['lines']): boolean =>
  to === place.start + place.piece.text.length &&
  (place.piece.ending !== '' || lines.next(place) === null)

const gutterSpans = (
  row: TextRow,
  width: number,
  { mine, over }: { mine: readonly Other[]; over: readonly Other[] },
  authors: ReadonlyMap<number, string> | null,
  coloured: boolean,
): Span[] => {
  const isFirst = row.index === 0 && row.place.isFirst
  const numbers = width - 2 - (authors === null ? 0 : AUTHOR_CELLS)
  const number = (isFirst ? String(row.place.line + 1) : '').padStart(numbers)
  const spans: Span[] = []
  if (authors !== null) {
    const name = isFirst ? (authors.get(row.place.line) ?? '') : ''
    spans.push({ text: `${fitText(harmless(name), AUTHOR_CELLS - 1)} `, look: DIM })
  }
  spans.push({ text: number, look: DIM })
  const [other] = mine
  const [selector] = over
  if (other === undefined) {
    const look = selector !== undefined && coloured ? { colour: selector.colour } : PLAIN
    spans.push({ text: selector === undefined ? '  ' : '▎ ', look })
  } else {
    // The name's first letter, so that whose it is can be told without colours, too.
    const [cell] = cellsOf(other.name)
    const letter = cell === undefined || cell.width !== 1 ? '*' : cell.text
    spans.push({ text: letter, look: otherLook(other, coloured) }, { text: ' ', look: PLAIN })
  }
  return spans
}

/** Their colour with the terminal's own ground as ink, which is to be read on it by any scheme. */
const otherLook = ({ colour }: Other, coloured: boolean): Look =>
  coloured ? { colour, inverse: true } : { bold: true, underline: true }

const isWide = ({ text: { lines } }: EditorSession, { anchor, head }: Other): boolean =>
  lines.at(anchor).line !== lines.at(head).line

const textSpans = (
  session: EditorSession,
  row: TextRow,
  others: readonly Other[],
  matches: readonly Range[],
  coloured: boolean,
): Span[] => {
  const { text } = session
  const [from, to] = text.selection
  const inRow = matches.filter(([begin, end]) => begin < row.to && end > row.from)
  const lookAt = (offset: number): Look => {
    const isCaret = offset === text.head
    if (isCaret && from === to) return SELECTED
    if (isCaret) return CARET
    if (offset >= from && offset < to) return SELECTED
    const caret = others.find(({ head }) => head === offset)
    if (caret !== undefined) return otherLook(caret, coloured)
    const selector = others.find(
      ({ anchor, head }) => offset >= Math.min(anchor, head) && offset < Math.max(anchor, head),
    )
    if (selector !== undefined) {
      return { underline: true, ...(coloured && { colour: selector.colour }) }
    }
    return inRow.some(([begin, end]) => offset >= begin && offset < end) ? MATCH : PLAIN
  }
  const spans: Span[] = []
  const add = (shown: string, look: Look): void => {
    const last = spans.at(-1)
    if (last !== undefined && isSame(last.look, look)) last.text += shown
    else spans.push({ text: shown, look })
  }
  let column = 0
  for (const cell of cellsOf(textOfRow(row))) {
    add(textAt(cell, column), lookAt(row.from + cell.at))
    column += widthAt(cell, column)
  }
  if (isEnd(row, text.lines)) add(' ', lookAt(row.to))
  return spans
}

/** The names of those who are in the row, after its text, as far as there is room. */
const labels = (
  session: EditorSession,
  row: TextRow,
  inIt: readonly Other[],
  coloured: boolean,
): Span[] => {
  let room = session.width - columnOf(row, row.to)
  const spans: Span[] = []
  for (const other of inIt) {
    const name = cut(harmless(other.name), room - 2)
    if (name === '' || name === '…') break
    const look = coloured ? otherLook(other, true) : { inverse: true }
    spans.push({ text: ' ', look: PLAIN }, { text: name, look })
    room -= widthOf(name) + 1
  }
  return spans
}

/** Line number (0-based) → who wrote most of it. */
const authorsOf = (session: EditorSession, rows: readonly TextRow[]): Map<number, string> => {
  const { attached, text } = session
  const places: Place[] = []
  for (const { index, place } of rows) if (index === 0 && place.isFirst) places.push(place)
  const ranges = places.map((place): Range => [place.start, text.lines.lineEnd(place)])
  const me = attached.me
  if (me === null) return new Map()
  const writers = writersOf(attached.doc, session.id, ranges, me)
  return new Map(
    places.map(({ line }, i) => {
      const writer = writers[i]!
      const isEmpty = ranges[i]![0] === ranges[i]![1]
      return [line, writer === null ? (isEmpty ? '' : '?') : session.nameOf(writer)]
    }),
  )
}

const isSame = (a: Look, b: Look): boolean =>
  a === b ||
  (a.colour === b.colour &&
    a.bold === b.bold &&
    a.dim === b.dim &&
    a.underline === b.underline &&
    a.inverse === b.inverse)
