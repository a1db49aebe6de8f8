import { cellsOf, textAt, widthAt } from '../../text/cells.ts'
import { wrapRows } from '../../text/wrap.ts'
import { type Row, seg, type Tone } from '../../ui/rows.ts'

/** Cells that the labels of a page take. */
const LABEL = 12

export const labelled = (label: string, value: Row): Row => [
  seg(label.padEnd(LABEL), 'dim'),
  ...value,
]

/** A text by others, wrapped. */
export const paragraph = (text: string, width: number, tone: Tone = 'plain'): Row[] =>
  text.split(/\r\n|\r|\n/).flatMap((line) => {
    const starts = wrapRows(line, width)
    return starts.map((start, i) => [seg(drawn(line.slice(start, starts[i + 1])), tone)])
  })

/** A part of a line as it stands on the screen: tabs are spaces, and what is harmful is in sight. */
const drawn = (part: string): string => {
  let column = 0
  let text = ''
  for (const cell of cellsOf(part)) {
    text += textAt(cell, column)
    column += widthAt(cell, column)
  }
  return text
}
