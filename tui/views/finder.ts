import { findThings, searchState } from '../model/finder.ts'
import type { UiFrame } from '../model/frame.ts'
import type { Mode } from '../model/state.ts'
import { keepVisible } from '../text/scroll.ts'
import { clickable, fitRow, picked, type Row, said, seg, spread } from '../ui/rows.ts'
import { fill } from './parts/list.ts'

/** Cells of the kind of a thing. */
const KIND_CELLS = 9

/** The things that have the typed letters. */
export const finderRows = (
  look: UiFrame,
  { line, chosen }: Extract<Mode, { kind: 'finder' }>,
  width: number,
  height: number,
): Row[] => {
  const { plain } = look
  const found = findThings(look, line.text)
  const state = searchState(look, line.text)
  if (found.length === 0) {
    const words = 'nothing has these letters in this order, or these words'
    return fill([[], [said(state === '' ? words : state, 'dim')]], width, height)
  }
  const room = Math.max(1, height - 1)
  const top = keepVisible(0, chosen, room, found.length)
  const below = found.length - top - room
  const title = [
    seg('files, agents, tasks and messages', 'dim'),
    said(state === '' ? '' : `  ${state}`, 'accent'),
  ]
  const more = `${top > 0 ? `↑${top} ` : ''}${below > 0 ? `↓${below}` : ''}`
  const rows = found.slice(top, top + room).map(({ kind, text, what, page }, i): Row => {
    const isAt = top + i === chosen
    const row: Row = [
      seg(plain && isAt ? '> ' : ''),
      seg(kind.padEnd(KIND_CELLS), 'accent'),
      said(text),
      said(`  ${what}`, 'dim'),
    ]
    const shown = clickable(fitRow(row, width), { type: 'open', page })
    return isAt ? picked(shown) : shown
  })
  return fill([spread(title, [seg(more, 'accent')], width), ...rows], width, height)
}
