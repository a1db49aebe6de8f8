import { unifiedDiff } from '../../../lib/merge/unified.ts'
import type { WordedLine } from '../../highlight/tokens.ts'
import { fitRow, type Row, seg, type Tone } from '../../ui/rows.ts'
import { DIVIDER } from './split.ts'
import { NO_SIDES, type WordedSides, wordedRow } from './words.ts'

/** Lines of a text or a change that a page shows (count); the rest is told of. */
const MAX_LINES = 20_000

const TONES: Readonly<Record<string, Tone>> = { '+': 'good', '-': 'bad', '@': 'accent' }

const some = (lines: readonly string[], row: (line: string, index: number) => Row): Row[] => {
  const rows = lines.slice(0, MAX_LINES).map(row)
  if (lines.length > MAX_LINES) rows.push([seg(`… ${lines.length - MAX_LINES} more lines`, 'dim')])
  return rows
}

/** The first line of a hunk before and after the change; null for other lines. */
const hunkIn = (line: string): [from: number, to: number] | null => {
  const [, from, to] = /^@@ -(\d+)(?:,\d+)? \+(\d+)/.exec(line) ?? []
  return from === undefined ? null : [Number(from), Number(to)]
}

/**
 * Lines of a change, each with its sign: `+`, `-`, a space, or `@@`. `sides`: their words, of whole texts if `isWhole`, else of
 * the shown lines only.
 */
export const signedRows = (
  lines: readonly string[],
  sides: WordedSides = NO_SIDES,
  isWhole = false,
): Row[] => {
  let [from, to] = [0, 0]
  return some(lines, (line) => {
    const sign = line[0] ?? ''
    const tone = TONES[sign] ?? 'plain'
    const hunk = isWhole ? hunkIn(line) : null
    if (hunk !== null) [from, to] = [hunk[0] - 1, hunk[1] - 1]
    const worded = sign === '-' ? sides.before[from] : sides.after[to]
    if (sign === '-' || sign === ' ') from++
    if (sign === '+' || sign === ' ') to++
    if (sign === '' || !'+- '.includes(sign)) return wordedRow(line, undefined, tone)
    return [seg(sign, tone), ...wordedRow(line.slice(1), worded, tone)]
  })
}

/** A unified diff without the names of its files. `sides`, `isWhole`: as for `signedRows`. */
export const diffRows = (diff: string, sides?: WordedSides, isWhole = false): Row[] => {
  const lines = diff.replace(/\n$/, '').split('\n')
  if (diff === '') return []
  return signedRows(lines[0]!.startsWith('--- ') ? lines.slice(2) : lines, sides, isWhole)
}

/** The change between two texts; `was` and `is`: their words. */
export const changeRows = (
  before: string,
  after: string,
  was: readonly WordedLine[] = [],
  is: readonly WordedLine[] = [],
): Row[] => {
  const rows = diffRows(unifiedDiff(before, after, ['', '']), { before: was, after: is }, true)
  return rows.length > 0 ? rows : [[seg('the text is the same', 'dim')]]
}

/** A text with the numbers of its lines; `worded`: its words. */
export const wholeRows = (text: string, worded: readonly WordedLine[] = []): Row[] => {
  const lines = text.replace(/\n$/, '').split('\n')
  const digits = Math.max(3, String(lines.length).length)
  if (text === '') return [[seg('the text is empty', 'dim')]]
  return some(lines, (line, i) => [
    seg(`${String(i + 1).padStart(digits)}  `, 'dim'),
    ...wordedRow(line, worded[i]),
  ])
}

/** Cells of the number of a line. */
const NUMBER = 4

/** One line of a text in its column. */
interface SideLine {
  number: number
  line: string | undefined
  sign: '+' | '-' | ' '
  worded: WordedLine | undefined
}

const sideCell = ({ number, line, sign, worded }: SideLine, cells: number): Row => {
  if (line === undefined) return fitRow([], cells)
  const tone = TONES[sign] ?? 'plain'
  const lead = [seg(`${String(number).padStart(NUMBER)} `, 'dim'), seg(sign, tone)]
  return fitRow([...lead, ...wordedRow(line, worded, tone)], cells)
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

/**
 * The change between two texts, side by side in `width` cells; a line that was replaced stands beside its successor. `was` and
 * `is`: their words.
 */
export const sideRows = (
  before: string,
  after: string,
  width: number,
  was: readonly WordedLine[] = [],
  is: readonly WordedLine[] = [],
): Row[] => {
  const diff = unifiedDiff(before, after, ['', ''])
  if (diff === '') return [[seg('the text is the same', 'dim')]]
  const [left, right] = columnsOf(width)
  const rows: Row[] = []
  let [from, to] = [1, 1]
  let [removed, added]: [string[], string[]] = [[], []]
  const add = (old: string | undefined, fresh: string | undefined, isSame: boolean): void => {
    const [removed, added] = isSame ? ([' ', ' '] as const) : (['-', '+'] as const)
    const one = { number: from, line: old, sign: removed, worded: was[from - 1] }
    const other = { number: to, line: fresh, sign: added, worded: is[to - 1] }
    rows.push([...sideCell(one, left), seg(DIVIDER, 'dim'), ...sideCell(other, right)])
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
      if (rows.length > 0) rows.push([seg('⋯', 'accent')])
      ;[from, to] = hunkIn(line) ?? [from, to]
    }
    if (rows.length > MAX_LINES) break
  }
  flush()
  return rows
}
