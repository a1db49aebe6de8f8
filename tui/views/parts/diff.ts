import { unifiedDiff } from '../../../lib/merge/unified.ts'
import { fitRow, type Row, said, seg, type Tone } from '../../ui/rows.ts'
import { DIVIDER } from './split.ts'

/** Lines of a text or a change that a page shows (count); the rest is told of. */
const MAX_LINES = 20_000

const TONES: Readonly<Record<string, Tone>> = { '+': 'good', '-': 'bad', '@': 'accent' }

const withoutTabs = (line: string): string => line.replaceAll('\t', '  ')

const some = (lines: readonly string[], row: (line: string, index: number) => Row): Row[] => {
  const rows = lines.slice(0, MAX_LINES).map(row)
  if (lines.length > MAX_LINES) rows.push([seg(`… ${lines.length - MAX_LINES} more lines`, 'dim')])
  return rows
}

/** Lines of a change, each with its sign: `+`, `-`, a space, or `@@`. */
export const signedRows = (lines: readonly string[]): Row[] =>
  some(lines, (line) => [said(withoutTabs(line), TONES[line[0] ?? ''] ?? 'plain')])

/** A unified diff without the names of its files. */
export const diffRows = (diff: string): Row[] => {
  const lines = diff.replace(/\n$/, '').split('\n')
  return diff === '' ? [] : signedRows(lines[0]!.startsWith('--- ') ? lines.slice(2) : lines)
}

/** The change between two texts. */
export const changeRows = (before: string, after: string): Row[] => {
  const rows = diffRows(unifiedDiff(before, after, ['', '']))
  return rows.length > 0 ? rows : [[seg('the text is the same', 'dim')]]
}

/** A text with the numbers of its lines. */
export const wholeRows = (text: string): Row[] => {
  const lines = text.replace(/\n$/, '').split('\n')
  const digits = Math.max(3, String(lines.length).length)
  if (text === '') return [[seg('the text is empty', 'dim')]]
  return some(lines, (line, i) => [
    seg(`${String(i + 1).padStart(digits)}  `, 'dim'),
    said(withoutTabs(line)),
  ])
}

/** Cells of the number of a line, and of the space after it. */
const NUMBER = 6

/** One line of a text in its column. */
const sideCell = (number: number, line: string | undefined, tone: Tone, cells: number): Row => {
  if (line === undefined) return fitRow([], cells)
  const text = said(withoutTabs(line), tone)
  return fitRow([seg(`${String(number).padStart(NUMBER - 2)}  `, 'dim'), text], cells)
}

const columnsOf = (width: number): [left: number, right: number] => {
  const left = Math.floor((width - DIVIDER.length) / 2)
  return [left, width - DIVIDER.length - left]
}

/** The titles above two texts side by side. */
export const sideTitles = (before: string, after: string, width: number): Row => {
  const [left, right] = columnsOf(width)
  const cell = (title: string, cells: number) => fitRow([seg(title, 'dim')], cells)
  return [...cell(before, left), seg(DIVIDER, 'dim'), ...cell(after, right)]
}

/** The change between two texts, side by side in `width` cells; a line that was replaced stands beside its successor. */
export const sideRows = (before: string, after: string, width: number): Row[] => {
  const diff = unifiedDiff(before, after, ['', ''])
  if (diff === '') return [[seg('the text is the same', 'dim')]]
  const [left, right] = columnsOf(width)
  const rows: Row[] = []
  let [from, to] = [1, 1]
  let [removed, added]: [string[], string[]] = [[], []]
  const add = (old: string | undefined, fresh: string | undefined, isSame: boolean): void => {
    const [was, is] = isSame ? (['plain', 'plain'] as const) : (['bad', 'good'] as const)
    const beside = [seg(DIVIDER, 'dim'), ...sideCell(to, fresh, is, right)]
    rows.push([...sideCell(from, old, was, left), ...beside])
    if (old !== undefined) from++
    if (fresh !== undefined) to++
  }
  const flush = (): void => {
    const count = Math.max(removed.length, added.length)
    for (let i = 0; i < count; i++) add(removed[i], added[i], false)
    removed = []
    added = []
  }
  for (const line of diff.replace(/\n$/, '').split('\n').slice(2)) {
    const [sign, text] = [line[0], line.slice(1)]
    if (sign === '-') removed.push(text)
    else if (sign === '+') added.push(text)
    else if (sign === ' ') {
      flush()
      add(text, text, true)
    } else if (sign === '@') {
      flush()
      const [, old, fresh] = /^@@ -(\d+)(?:,\d+)? \+(\d+)/.exec(line) ?? []
      if (rows.length > 0) rows.push([seg('⋯', 'accent')])
      from = Number(old)
      to = Number(fresh)
    }
    if (rows.length > MAX_LINES) break
  }
  flush()
  return rows
}
