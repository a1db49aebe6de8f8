import type { Look } from '../look.ts'
import type { View } from '../state.ts'
import { clickable, cutRow, fitRow, keepVisible, picked, type Row, seg } from '../ui/rows.ts'

export interface List {
  view: View
  /** Its name among the tops of the state: the view's, or one column's of the board. */
  name: string
  ids: readonly string[]
  /** Lines an item takes. */
  each: number
  /** The index that is picked; -1: none here. */
  at: number
}

/** The items that are seen: of thousands no more than fit are drawn. */
export const windowOf = (
  { state }: Look,
  { name, ids, each, at }: List,
  height: number,
): { top: number; end: number; fits: number } => {
  const fits = Math.max(1, Math.floor(height / each))
  const last = Math.max(0, ids.length - fits)
  const top = keepVisible(state.tops[name] ?? 0, at < 0 ? 0 : at, fits, ids.length)
  const start = at < 0 ? Math.min(state.tops[name] ?? 0, last) : top
  return { top: start, end: Math.min(ids.length, start + fits), fits }
}

/** The lines of a list in exactly `width` cells and `height` lines; a click picks, a click on what is picked opens. */
export const listRows = (
  look: Look,
  list: List,
  width: number,
  height: number,
  draw: (index: number) => readonly Row[],
): Row[] => {
  const { view, name, ids, at } = list
  const { top, end, fits } = windowOf(look, list, height)
  const rows: Row[] = []
  for (let i = top; i < end; i++) {
    const click =
      i === at
        ? ({ type: 'do', command: 'open' } as const)
        : ({
            ...({ type: 'select', view, list: name } as const),
            ...{ id: ids[i]!, index: i, height: fits, count: ids.length },
          } as const)
    for (const row of draw(i)) {
      const marked = look.plain ? [seg(i === at ? '> ' : '  '), ...row] : row
      const shown = clickable(fitRow(marked, width), click)
      rows.push(i === at ? picked(shown) : shown)
    }
  }
  return fill(rows, width, height)
}

/** Exactly `height` rows of `width` cells. */
export const fill = (rows: readonly Row[], width: number, height: number): Row[] => {
  const shown = rows.slice(0, height).map((row) => fitRow(row, width))
  while (shown.length < height) shown.push([seg(' '.repeat(width))])
  return shown
}

/** Text that is read: of all its lines those from `top` on. Where there is more above or below, the edge says so. */
export const textRows = (
  lines: readonly Row[],
  wanted: number,
  width: number,
  height: number,
): Row[] => {
  const top = clampTop(wanted, lines.length, height)
  const shown = lines.slice(top, top + height).map((line) => cutRow(line, width))
  const below = lines.length - top - height
  if (below > 0) shown[height - 1] = [seg(`↓ ${below + 1} more lines`, 'dim')]
  if (top > 0) shown[0] = [seg(`↑ ${top + 1} more lines`, 'dim')]
  return fill(shown, width, height)
}

export const clampTop = (top: number, count: number, height: number): number =>
  Math.min(Math.max(0, top), Math.max(0, count - height))
