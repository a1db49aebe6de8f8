import { wrap } from '../ui/cells.ts'
import { type Row, seg, type Tone } from '../ui/rows.ts'

/** Cells that the labels of a page take. */
const LABEL = 12

export const labelled = (label: string, value: Row): Row => [
  seg(label.padEnd(LABEL), 'dim'),
  ...value,
]

/** What somebody wrote, in as many lines as it takes. */
export const paragraph = (text: string, width: number, tone: Tone = 'plain'): Row[] =>
  wrap(text, width).map((line) => [seg(line, tone)])
