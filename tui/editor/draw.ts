import { keyLabel } from '../commands.ts'
import { cellsOf, textAt, widthAt } from '../text/cells.ts'
import { cut, harmless, widthOf } from '../ui/cells.ts'
import { cutRow, fitRow, type Row, rowWidth, type Segment, said, seg, spread } from '../ui/rows.ts'
import { EDITOR_KEYS } from './keys.ts'
import { AUTHOR_CELLS, type EditorModel } from './model.ts'
import { colourOf, type Other } from './others.ts'
import { columnOf, type TextRow, textOfRow } from './rows.ts'
import type { Range } from './search.ts'
import { rangeOf } from './selection.ts'

/** What the editor shows: as many rows as it has, and where the caret is; null: it is not on the screen. */
export interface Drawn {
  rows: Row[]
  caret: { x: number; y: number } | null
}

/** Cells that a name may take beside the text. */
const NAME_CELLS = 16

/** How a cell stands out, from what matters least to most. */
interface Marks {
  matches: readonly Range[]
  own: { from: number; to: number }
  others: readonly Other[]
}

const isIn = (offset: number, from: number, to: number): boolean => from <= offset && offset < to

const lookAt = (offset: number, { matches, own, others }: Marks): Omit<Segment, 'text'> => {
  const caret = others.find(({ head }) => head === offset)
  if (caret !== undefined) return { mark: caret.colour }
  if (isIn(offset, own.from, own.to)) return { picked: true }
  const selected = others.find(({ anchor, head }) =>
    isIn(offset, Math.min(anchor, head), Math.max(anchor, head)),
  )
  if (selected !== undefined) return { mark: selected.colour }
  if (matches.some(([from, to]) => isIn(offset, from, to))) return { tone: 'warn' }
  return {}
}

const sameLook = (a: Omit<Segment, 'text'>, b: Omit<Segment, 'text'>): boolean =>
  a.mark === b.mark && a.picked === b.picked && a.tone === b.tone

/** The text of a row, in segments of one look; a caret or selection at its end has a cell there. */
const textRow = (row: TextRow, isLineEnd: boolean, marks: Marks, width: number): Row => {
  const segments: Segment[] = []
  const add = (text: string, look: Omit<Segment, 'text'>): void => {
    const last = segments.at(-1)
    if (last !== undefined && sameLook(last, look)) last.text += text
    else segments.push({ text, ...look })
  }
  let column = 0
  for (const cell of cellsOf(textOfRow(row))) {
    add(textAt(cell, column), lookAt(row.from + cell.at, marks))
    column += widthAt(cell, column)
  }
  if (isLineEnd && column < width) {
    const look = lookAt(row.to, marks)
    if (look.mark !== undefined || look.picked === true) add(' ', look)
  }
  return segments
}

/** The names of those whose caret is in the row, beside its text. */
const namesIn = (others: readonly Other[]): Row =>
  others.flatMap(({ name, colour }) => [
    { text: ' ' },
    { text: `‹${cut(harmless(name), NAME_CELLS)}›`, colour },
  ])

/** `notice`: what came in for this person, said in the status line. */
export const drawEditor = (model: EditorModel, notice = ''): Drawn => {
  const { columns, selection } = model
  if (model.hasHelp) return { rows: [...fillTo(helpRows(), model), helpFoot(columns)], caret: null }
  const visible = model.visible()
  const others = model.others()
  const first = visible[0]?.from ?? 0
  const last = visible.at(-1)?.to ?? 0
  const marks: Marks = {
    own: rangeOf(selection),
    others,
    matches: (model.matches()?.matches ?? []).filter(([from, to]) => to > first && from <= last),
  }
  const writers = model.hasAuthors ? model.writers(visible) : null
  const rows = visible.map((row, y): Row => {
    const isLineEnd = endsLine(visible, y)
    const beside = gutter(model, visible, y, writers)
    const text = textRow(row, isLineEnd, marks, model.width)
    const names = namesIn(others.filter(({ head }) => holds(visible, y, head)))
    const left = columns - rowWidth(beside)
    if (names.length === 0) return [...beside, ...cutRow(text, left)]
    // Names go over the end of a row that is full.
    const end = cutRow(names, left)
    return [...beside, ...cutRow(text, left - rowWidth(end)), ...end]
  })
  return {
    rows: [...fillTo(rows, model), statusRow(model, others, notice)],
    caret: caretIn(model, visible),
  }
}

/** Whether the row's line ends with it: then it has one more cell, for a caret. */
const endsLine = (visible: readonly TextRow[], y: number): boolean => {
  const { to, place } = visible[y]!
  if (to !== place.start + place.piece.text.length) return false
  return place.piece.ending !== '' || visible[y + 1]?.place.isFirst !== false
}

const holds = (visible: readonly TextRow[], y: number, offset: number): boolean => {
  const { from, to } = visible[y]!
  return from <= offset && (offset < to || (offset === to && endsLine(visible, y)))
}

/** Where the terminal's cursor belongs. */
const caretIn = (model: EditorModel, visible: readonly TextRow[]): Drawn['caret'] => {
  const { prompt, columns, height, width } = model
  const { head } = model.selection
  const at = (x: number, y: number) => ({ x: Math.min(x, columns - 1), y })
  if (prompt !== null) {
    const { text, at: offset } = prompt.line
    return at(PROMPTS[prompt.kind].length + widthOf(harmless(text.slice(0, offset))), height)
  }
  const y = visible.findIndex((_, row) => holds(visible, row, head))
  return y === -1 ? null : at(columns - width + columnOf(visible[y]!, head), y)
}

const fillTo = (rows: Row[], { height }: EditorModel): Row[] => [
  ...rows.slice(0, height),
  ...Array.from({ length: Math.max(0, height - rows.length) }, (): Row => [seg('~', 'dim')]),
]

const gutter = (
  { numberCells, attached }: EditorModel,
  visible: readonly TextRow[],
  y: number,
  writers: readonly (string | null)[] | null,
): Row => {
  const { place, index } = visible[y]!
  const isFirst = place.isFirst && index === 0
  const number = isFirst ? String(place.line + 1) : ''
  const row: Row = [seg(`${number.padStart(numberCells)} `, 'dim')]
  if (writers === null) return row
  const writer = writers[y] ?? null
  const isSame = y > 0 && writers[y - 1] === writer
  const name = writer === null || isSame || !isFirst ? '' : nameOf(attached, writer)
  const shown = fitRow([{ text: cut(harmless(name), AUTHOR_CELLS) }], AUTHOR_CELLS + 1)
  return [
    ...shown.map((part) => (writer === null ? part : { ...part, colour: colourOf(writer) })),
    ...row,
  ]
}

const nameOf = ({ doc, me, where }: EditorModel['attached'], id: string): string => {
  if (id === me) return where.name
  const name = doc.getMap<unknown>('agents').get(id) as
    | { get?: (key: string) => unknown }
    | undefined
  return String(name?.get?.('name') ?? id)
}

const PROMPTS = { find: 'find: ', 'go-to': 'line: ' } as const

const statusRow = (model: EditorModel, others: readonly Other[], notice: string): Row => {
  const { file, prompt, columns, selection, message } = model
  if (prompt !== null) {
    const typed = [seg(PROMPTS[prompt.kind], 'accent'), said(prompt.line.text)]
    return spread(typed, [said(message, 'dim')], columns)
  }
  const { lines } = file
  const place = lines.at(selection.head)
  const start = lines.line(place.line).start
  const column = [...lines.slice(start, selection.head)].length + 1
  const { from, to } = rangeOf(selection)
  const selected = from < to ? ` (${to - from} selected)` : ''
  const here: Row = [
    said(file.path, 'strong'),
    seg(`  ${place.line + 1}:${column}${selected}`, 'dim'),
  ]
  const who = others.flatMap(
    ({ name, head, colour }): Row => [
      { text: '  ' },
      { text: harmless(cut(name, NAME_CELLS)), colour },
      seg(` ${lines.at(head).line + 1}`, 'dim'),
    ],
  )
  const words = message || notice || file.why
  return spread([...here, ...who], words === '' ? hints() : [said(words, 'warn')], columns)
}

/** The keys that are worth knowing first. */
const hints = (): Row =>
  EDITOR_KEYS.flatMap(({ keys, bar }) =>
    bar === undefined ? [] : [seg(`  ${keyLabel(keys[0]!)}`, 'accent'), seg(` ${bar}`, 'dim')],
  )

const helpRows = (): Row[] =>
  EDITOR_KEYS.map(({ keys, what }) => [
    seg(`  ${keys.map(keyLabel).join(' ')}`.padEnd(26), 'accent'),
    seg(what),
  ])

const helpFoot = (columns: number): Row =>
  fitRow([seg('with shift, what moves selects; any key goes back', 'dim')], columns)
