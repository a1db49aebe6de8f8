import type { UiFrame } from '../model/frame.ts'
import { completionsOf } from '../model/palette.ts'
import type { Form, FormField, Toast } from '../model/state.ts'
import type { Line } from '../terminal/line.ts'
import { type Cell, cellsOf, graphemeAt, textAt } from '../text/cells.ts'
import { fitText, harmless, wrap } from '../text/display.ts'
import { keepVisible } from '../text/scroll.ts'
import { wrapRows } from '../text/wrap.ts'
import {
  cachedWidthOf,
  fitRow,
  picked,
  type Row,
  rowWidth,
  type Segment,
  said,
  seg,
  spread,
  type Tone,
} from '../ui/rows.ts'
import { fill } from './parts/list.ts'
import { paragraph } from './parts/page.ts'

/** Units of a text around the place in it that can be seen on any screen. */
const AROUND = 2_000

/** A line being typed, with the place in it, in `width` cells: of a long one the part around that place. */
export const typedRow = (label: Row, { text, at }: Line, width: number): Row => {
  const room = Math.max(4, width - rowWidth(label) - 1)
  const start = at <= AROUND ? 0 : graphemeAt(text, at - AROUND).from
  const before = cellsOf(text.slice(start, at))
  const after = cellsOf(text.slice(at, at + AROUND))
  let used = before.reduce((sum, cell) => sum + cell.width, 0)
  let hidden = 0
  while (used > room - (hidden === 0 && start === 0 ? 1 : 2)) used -= before[hidden++]!.width
  const lead = hidden > 0 || start > 0 ? '…' : ''
  const drawn = (cells: readonly Cell[]) => cells.map((cell) => textAt(cell, 0)).join('')
  const cursor: Segment = { text: after.length > 0 ? drawn(after.slice(0, 1)) : ' ', picked: true }
  const row = [seg(`${lead}${drawn(before.slice(hidden))}`), cursor, seg(drawn(after.slice(1)))]
  return fitRow([...label, ...row], width)
}

/** Lines that an open text field shows at most. */
const TEXT_LINES = 8
/** Cells of the labels of a form. */
const LABELS = 20

export const formRows = (look: UiFrame, form: Form, width: number, height: number): Row[] => {
  const note = form.note === '' ? [] : paragraph(form.note, width)
  const rows: Row[] = [[said(form.title, 'strong')], ...note, []]
  let cursor = 0
  for (const [i, field] of form.fields.entries()) {
    const isAt = i === form.at
    if (isAt) cursor = rows.length
    const click = { type: 'field', index: i } as const
    const needed = field.needed === true ? ' *' : ''
    const name = fitText(`${isAt && look.plain ? '> ' : ''}${field.label}${needed}`, LABELS)
    const label = [{ ...seg(name, isAt ? 'strong' : 'dim'), click }]
    rows.push(...fieldRows(field, label, isAt, width))
    if (isAt) cursor = rows.length
  }
  rows.push([])
  if (form.wrong !== '') rows.push(...paragraph(form.wrong, width, 'bad'))
  // Of a form that is too high the field that has the keys is seen.
  const top = Math.max(0, Math.min(cursor - height + 2, rows.length - height))
  return fill(rows.slice(top), width, height)
}

const fieldRows = (field: FormField, label: Row, isAt: boolean, width: number): Row[] => {
  const { kind, line, choices = [] } = field
  if (kind === 'choice') {
    const all = choices.flatMap((choice): Row => {
      const isChosen = choice === line.text
      const shown = seg(isChosen ? `[${choice}]` : ` ${choice} `, isChosen ? 'strong' : 'dim')
      return isChosen && isAt ? picked([shown]) : [shown]
    })
    return [[...label, ...all]]
  }
  if (!isAt) {
    const lines = line.text.split('\n')
    const more = lines.length > 1 ? ` (+${lines.length - 1} lines)` : ''
    return [[...label, said(lines[0]!), seg(more, 'dim')]]
  }
  if (kind === 'line') return [typedRow(label, line, width)]
  return textFieldRows(label, line, width)
}

/** The wrapped lines of a text around the one that is typed in. */
const textFieldRows = (label: Row, { text, at }: Line, width: number): Row[] => {
  const room = Math.max(8, width - LABELS - 1)
  const parts: { text: string; from: number }[] = []
  let from = 0
  for (const line of text.split('\n')) {
    const starts = wrapRows(line, room)
    for (const [i, start] of starts.entries()) {
      parts.push({ text: line.slice(start, starts[i + 1]), from: from + start })
    }
    from += line.length + 1
  }
  const row = Math.max(
    0,
    parts.findLastIndex((part) => part.from <= at),
  )
  const first = Math.max(0, row - TEXT_LINES + 1)
  const shown = parts.slice(first, first + TEXT_LINES)
  const below = parts.length - first - shown.length
  const rows = shown.map((part, i) => {
    const lead = i === 0 ? label : [seg(' '.repeat(LABELS))]
    return first + i === row
      ? typedRow(lead, { text: part.text, at: at - part.from }, width)
      : [...lead, said(part.text)]
  })
  return below > 0
    ? [...rows, [seg(' '.repeat(LABELS)), seg(`↓ ${below} more lines`, 'dim')]]
    : rows
}

/** Completions of the typed line, as many as fit around the chosen one. */
export const paletteRows = (
  look: UiFrame,
  typed: string,
  chosen: number,
  width: number,
  height: number,
): Row[] => {
  const found = completionsOf(look, typed)
  const room = Math.max(1, Math.min(found.length, Math.floor(height / 2)))
  const top = keepVisible(0, chosen, room, found.length)
  const shown = found.slice(top, top + room)
  const labels = Math.min(36, Math.max(0, ...shown.map(({ label }) => cachedWidthOf(label))) + 2)
  return shown.map(({ label, what, line: text }, i): Row => {
    const row: Row = [
      {
        ...seg(fitText(`  ${harmless(label)}`, labels + 2)),
        click: { type: 'do', command: 'complete', args: text },
      },
      seg(harmless(what), 'dim'),
    ]
    const below = found.length - top - room
    const more = i === 0 && top > 0 ? `↑${top}` : i === room - 1 && below > 0 ? `↓${below}` : ''
    const line = more === '' ? fitRow(row, width) : spread(row, [seg(more, 'accent')], width)
    return top + i === chosen ? picked(line) : line
  })
}

const SIGNS: Readonly<Record<Toast['tone'], readonly [string, Tone]>> = {
  good: ['✓ ', 'good'],
  warn: ['✉ ', 'warn'],
  bad: ['✗ ', 'bad'],
  plain: ['· ', 'plain'],
}

const WORDS: Readonly<Record<Toast['tone'], string>> = {
  good: 'done: ',
  warn: 'for you: ',
  bad: 'error: ',
  plain: '',
}

/** Newest last; each is a line, but what is to be copied is whole, and what to do next a line of its own. */
export const toastRows = ({ state, plain }: UiFrame, width: number): Row[] =>
  state.toasts.flatMap(({ id, tone, text, hint }): Row[] => {
    const [sign, colour] = SIGNS[tone]
    const click = { type: 'toast-gone', id } as const
    const lead = seg(plain ? WORDS[tone] : sign, colour)
    const lines = tone === 'plain' ? wrap(text, width - cachedWidthOf(lead.text)) : [text]
    const rows = lines.map((line, i) =>
      fitRow(
        [
          { ...(i === 0 ? lead : seg(' '.repeat(cachedWidthOf(lead.text)))), click },
          { ...said(line, colour), click },
        ],
        width,
      ),
    )
    return hint === '' ? rows : [...rows, fitRow([seg('  '), said(hint, 'dim')], width)]
  })
