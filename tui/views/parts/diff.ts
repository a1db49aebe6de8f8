import { unifiedDiff } from '../../../lib/merge/unified.ts'
import { type Row, said, seg, type Tone } from '../../ui/rows.ts'

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
