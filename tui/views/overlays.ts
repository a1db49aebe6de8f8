import { COMMANDS, keyLabel, TYPING } from '../commands.ts'
import type { Line } from '../line.ts'
import type { Look } from '../look.ts'
import { completionsOf } from '../palette.ts'
import type { Field, Form, Toast } from '../state.ts'
import { fitText, harmless, widthOf, wrap } from '../ui/cells.ts'
import { fitRow, picked, type Row, type Segment, said, seg, type Tone } from '../ui/rows.ts'
import { fill, textRows } from './list.ts'

/** A line being typed, with the place in it, in `width` cells: of a long one the part around that place. */
export const typedRow = (label: Row, { text, at }: Line, width: number): Row => {
  const taken = label.reduce((sum, segment) => sum + widthOf(segment.text), 0)
  const room = Math.max(4, width - taken - 1)
  let before = harmless(text.slice(0, at))
  if (widthOf(before) > room - 1) {
    const characters = [...before]
    while (characters.length > 0 && widthOf(characters.join('')) > room - 2) characters.shift()
    before = `…${characters.join('')}`
  }
  const [first = ' ', ...rest] = [...harmless(text.slice(at))]
  const cursor: Segment = { text: first, picked: true }
  return fitRow([...label, seg(before), cursor, seg(rest.join(''))], width)
}

/** Lines that an open text field shows at most. */
const TEXT_LINES = 8
/** Cells of the labels of a form. */
const LABELS = 20

export const formRows = (look: Look, form: Form, width: number, height: number): Row[] => {
  const rows: Row[] = [[said(form.title, 'strong')], []]
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
  if (form.wrong !== '') {
    for (const line of wrap(form.wrong, width)) rows.push([seg(line, 'bad')])
  }
  const hasText = form.fields.some(({ kind }) => kind === 'text')
  const line = hasText ? '   ctrl-j line end' : ''
  rows.push([
    seg(`enter ${hasText ? 'or ctrl-s ' : ''}send${line}   tab next field   esc leave`, 'dim'),
  ])
  // Of a form that is too high the field that has the keys is seen.
  const top = Math.max(0, Math.min(cursor - height + 2, rows.length - height))
  return fill(rows.slice(top), width, height)
}

const fieldRows = (field: Field, label: Row, isAt: boolean, width: number): Row[] => {
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

/** The line at the bottom that is typed in, under what could stand there; the lowest row is the line. */
export const paletteRows = (look: Look, line: Line, chosen: number, width: number): Row[] => {
  const found = completionsOf(look, line.text)
  const labels = Math.min(36, Math.max(0, ...found.map(({ label }) => widthOf(label))) + 2)
  const rows = found.map(({ label, what, line: text }, i): Row => {
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
  return [...rows, typedRow([seg(':', 'accent')], line, width)]
}

export const helpLines = (): Row[] => {
  const group = (title: string, commands: typeof COMMANDS): Row[] => [
    [seg(title, 'strong')],
    ...commands.map(({ keys, name, what, keysOnly }): Row => {
      const shown = keys.map(keyLabel).join(' ')
      return [
        seg(fitText(`  ${shown}`, 24), 'accent'),
        seg(fitText(keysOnly ? '' : `:${name}`, 12), 'dim'),
        seg(what),
      ]
    }),
    [],
  ]
  const where = (place: string) => COMMANDS.filter((command) => command.where === place)
  const everywhere = where('everywhere')
  return [
    ...group(
      'Moving',
      everywhere.filter(({ keysOnly }) => keysOnly === true),
    ),
    ...group(
      'Everywhere',
      everywhere.filter(({ keysOnly }) => keysOnly !== true),
    ),
    ...group('Agents', where('agents')),
    ...group('Tasks', where('tasks')),
    ...group('Feed', where('feed')),
    ...group('Files', where('files')),
    [seg('While typing', 'strong')],
    ...TYPING.map(
      ({ keys, what }): Row => [
        seg(fitText(`  ${keys.map(keyLabel).join(' ')}`, 32), 'accent'),
        seg(what),
      ],
    ),
  ]
}

export const helpRows = (top: number, width: number, height: number): Row[] =>
  textRows(helpLines(), top, width, height)

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

/** Newest last; each is a line, what to do next a second one. */
export const toastRows = ({ state, plain }: Look, width: number): Row[] =>
  state.toasts.flatMap(({ id, tone, text, hint }): Row[] => {
    const [sign, colour] = SIGNS[tone]
    const click = { type: 'toast-gone', id } as const
    const lead = seg(plain ? WORDS[tone] : sign, colour)
    const row = fitRow(
      [
        { ...lead, click },
        { ...said(text, colour), click },
      ],
      width,
    )
    return hint === '' ? [row] : [row, fitRow([seg('  '), said(hint, 'dim')], width)]
  })
