import { commandGroups, keyLabel, TYPING, type UiCommand } from '../model/commands.ts'
import type { UiFrame } from '../model/frame.ts'
import { completionsOf } from '../model/palette.ts'
import type { Form, FormField, Toast } from '../model/state.ts'
import type { Line } from '../terminal/line.ts'
import { type Cell, cellsOf, graphemeAt, textAt } from '../text/cells.ts'
import { fitText, harmless, wrap } from '../text/display.ts'
import {
  cachedWidthOf,
  fitRow,
  picked,
  type Row,
  rowWidth,
  type Segment,
  said,
  seg,
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

/** The lines of a text around the one that is typed in. */
const textFieldRows = (label: Row, { text, at }: Line, width: number): Row[] => {
  const lines = text.split('\n')
  const head = text.slice(0, at).split('\n')
  const row = head.length - 1
  const first = Math.max(0, row - TEXT_LINES + 1)
  return lines.slice(first, first + TEXT_LINES).map((line, i) => {
    const start = i === 0 ? label : [seg(' '.repeat(LABELS))]
    return first + i === row
      ? typedRow(start, { text: line, at: head[row]!.length }, width)
      : [...start, said(line)]
  })
}

/** Completions of the typed line. */
export const paletteRows = (look: UiFrame, typed: string, chosen: number, width: number): Row[] => {
  const found = completionsOf(look, typed)
  const labels = Math.min(36, Math.max(0, ...found.map(({ label }) => cachedWidthOf(label))) + 2)
  return found.map(({ label, what, line: text }, i): Row => {
    const row: Row = [
      {
        ...seg(fitText(`  ${harmless(label)}`, labels + 2)),
        click: { type: 'do', command: 'complete', args: text },
      },
      seg(harmless(what), 'dim'),
    ]
    const shown = fitRow(row, width)
    return i === chosen ? picked(shown) : shown
  })
}

/** Cells of the keys and of the name of a command. */
const KEYS_CELLS = 24
const NAME_CELLS = 14

/** All that can be done, in as many lines as it takes. */
export const helpLines = (width: number): Row[] => {
  const keysOf = (keys: readonly string[], cells: number) =>
    seg(fitText(`  ${keys.map(keyLabel).join(' ')}`, cells), 'accent')
  const told = (lead: Row, what: string): Row[] => {
    const indent = rowWidth(lead)
    return paragraph(what, Math.max(20, width - indent)).map((line, i) => [
      ...(i === 0 ? lead : [seg(' '.repeat(indent))]),
      ...line,
    ])
  }
  const group = ([title, commands]: readonly [string, readonly UiCommand[]]): Row[] => [
    [seg(title, 'strong')],
    ...commands.flatMap(({ keys, name, what, keysOnly }) => {
      const typed = seg(fitText(keysOnly ? '' : `:${name}`, NAME_CELLS), 'dim')
      return told([keysOf(keys, KEYS_CELLS), typed], what)
    }),
    [],
  ]
  return [
    ...commandGroups().flatMap(group),
    [seg('While typing', 'strong')],
    ...TYPING.flatMap(({ keys, what }) => told([keysOf(keys, KEYS_CELLS + NAME_CELLS)], what)),
  ]
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
