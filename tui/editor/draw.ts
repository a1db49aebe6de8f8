import type { Look } from '../highlight/look.ts'
import { cellsOf, textAt, widthAt } from '../text/cells.ts'
import { cut, fitText, harmless, widthOf } from '../text/display.ts'
import { type AuthorRun, agentsOfTokens, authorRuns, runAt } from './authors.ts'
import { colourOf, type Other } from './others.ts'
import { columnOf, type TextRow, textOfRow } from './rows.ts'
import type { Range } from './search.ts'
import type { EditorSession } from './session.ts'
import { visibleRows } from './viewport.ts'

/** The cell of the caret among the rows on the screen, from 0; null: it is not on it. */
export const caretCell = (
  session: EditorSession,
  columns: number,
): { x: number; y: number } | null => {
  const y = visibleRows(session).findIndex((row) => holds(session, row, session.text.head))
  if (y < 0) return null
  const row = visibleRows(session)[y]!
  return { x: gutterOf(session, columns) + columnOf(row, session.text.head), y }
}

export interface Span {
  text: string
  look: Look
}

/** Cells in which the authors of a line are named, on a narrow screen and on a wide one. */
const AUTHOR_CELLS = 12
const WIDE_AUTHOR_CELLS = 20
const WIDE_COLUMNS = 110
/** Narrower than this there is text only. */
const MIN_GUTTER_COLUMNS = 30

/** Units of a line whose authors are named in the margin. */
const MAX_NAMED = 4_096

const PLAIN: Look = {}
const DIM: Look = { dim: true }
const SELECTED: Look = { inverse: true }
const CARET: Look = { inverse: true, bold: true, underline: true }
const MATCH: Look = { bold: true, underline: true }

/** Cells left of the text: who wrote the line, its number, whose caret is in it. */
export const gutterOf = (session: EditorSession, columns: number): number => {
  if (columns < MIN_GUTTER_COLUMNS) return 0
  const digits = Math.max(3, String(session.text.lines.count).length)
  return digits + 2 + (session.isShowingAuthors ? authorCells(columns) : 0)
}

const authorCells = (columns: number): number =>
  columns < WIDE_COLUMNS ? AUTHOR_CELLS : WIDE_AUTHOR_CELLS

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
  const runs = session.isShowingAuthors ? runsIn(session, rows) : []
  const authors = session.isShowingAuthors
    ? { names: namesOf(session, rows, runs), cells: authorCells(columns) }
    : null
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
      ...textSpans(session, row, { others: narrow, matches, runs }, coloured),
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

/** Names by line (0-based), and the cells that they have. */
interface Authors {
  names: ReadonlyMap<number, string>
  cells: number
}

const gutterSpans = (
  row: TextRow,
  width: number,
  { mine, over }: { mine: readonly Other[]; over: readonly Other[] },
  authors: Authors | null,
  coloured: boolean,
): Span[] => {
  const isFirst = row.index === 0 && row.place.isFirst
  const numbers = width - 2 - (authors?.cells ?? 0)
  const number = (isFirst ? String(row.place.line + 1) : '').padStart(numbers)
  const spans: Span[] = []
  if (authors !== null) {
    const name = isFirst ? (authors.names.get(row.place.line) ?? '') : ''
    spans.push({ text: `${fitText(harmless(name), authors.cells - 1)} `, look: DIM })
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
  {
    others,
    matches,
    runs,
  }: { others: readonly Other[]; matches: readonly Range[]; runs: readonly AuthorRun[] },
  coloured: boolean,
): Span[] => {
  const { text, attached } = session
  const [from, to] = text.selection
  const lineStart = row.place.isFirst ? row.place.start : -1
  const tokens =
    lineStart < 0 || runs.length > 0
      ? []
      : (session.syntax?.of(row.place.line, row.place.piece.text) ?? [])
  const tokenAt = (at: number): Look | undefined =>
    tokens.find((token) => token.from <= at && at < token.to)?.look
  const inRow = matches.filter(([begin, end]) => begin < row.to && end > row.from)
  const lookAt = (offset: number): Look => {
    const isCaret = offset === text.head
    // The terminal draws its own cursor there.
    if (isCaret && from === to && session.hasCursor) return PLAIN
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
    if (inRow.some(([begin, end]) => offset >= begin && offset < end)) return MATCH
    if (runs.length > 0) return authorLook(runAt(runs, offset), attached.me, coloured)
    return coloured ? (tokenAt(offset - lineStart) ?? PLAIN) : PLAIN
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

/** Others' texts in the colours of their carets; own text is plain. */
const authorLook = (run: AuthorRun | null, me: string | null, coloured: boolean): Look => {
  if (run === null || run.agent === me) return PLAIN
  if (run.agent === null) return DIM
  return coloured ? { colour: colourOf(run.agent) } : PLAIN
}

const runsIn = ({ attached, id, text }: EditorSession, rows: readonly TextRow[]): AuthorRun[] => {
  const last = rows.at(-1)!
  const end = Math.max(last.to, text.lines.lineEnd(last.place))
  return authorRuns(
    attached.doc,
    id,
    [text.lines.line(rows[0]!.place.line).start, end],
    attached.me,
  )
}

/** Line number (0-based) → the authors of its tokens. */
const namesOf = (
  session: EditorSession,
  rows: readonly TextRow[],
  runs: readonly AuthorRun[],
): Map<number, string> => {
  const { lines } = session.text
  const names = new Map<number, string>()
  for (const { index, place } of rows) {
    if (index > 0 || !place.isFirst) continue
    const line = lines.slice(place.start, Math.min(lines.lineEnd(place), place.start + MAX_NAMED))
    const agents = agentsOfTokens(line, place.start, runs)
    names.set(
      place.line,
      agents.map((agent) => (agent === null ? '?' : session.nameOf(agent))).join(', '),
    )
  }
  return names
}

const isSame = (a: Look, b: Look): boolean =>
  a === b ||
  (a.colour === b.colour &&
    a.word === b.word &&
    a.bold === b.bold &&
    a.dim === b.dim &&
    a.underline === b.underline &&
    a.inverse === b.inverse)
