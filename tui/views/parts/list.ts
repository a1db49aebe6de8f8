import type { UiFrame } from '../../model/frame.ts'
import { ORDERS } from '../../model/orders.ts'
import type { Event, View } from '../../model/state.ts'
import { keepVisible } from '../../text/scroll.ts'
import { clickable, fitRow, picked, type Row, seg, spread } from '../../ui/rows.ts'
import { paragraph } from './page.ts'

export interface List {
  view: View
  /** Its name among the tops of the state: the view's, or one column's of the board. */
  name: string
  count: number
  idAt: (index: number) => string
  /** Lines an item takes. */
  each: number
  /** The index that is picked; -1: none here. */
  at: number
}

/** The items that are seen: of thousands no more than fit are drawn. */
export const windowOf = (
  { state }: UiFrame,
  { name, count, each, at }: List,
  height: number,
): { top: number; end: number; fits: number } => {
  const fits = Math.max(1, Math.floor(height / each))
  const wanted = state.tops[name] ?? 0
  const top = at < 0 ? clampTop(wanted, count, fits) : keepVisible(wanted, at, fits, count)
  return { top, end: Math.min(count, top + fits), fits }
}

/** Picks an item of the list, and has it seen. */
export const selectIn = ({ view, name, count, idAt }: List, index: number, fits: number) =>
  ({
    ...({ type: 'select', view, list: name } as const),
    ...{ id: idAt(index), index, height: fits, count },
  }) satisfies Event

/** The things that a list without any says, and what to do then. */
const EMPTY_WORDS: Readonly<Record<View, string>> = {
  me: 'Nothing waits for you. Questions, results to approve, suggestions and tasks for you come here.',
  agents: 'Nobody has registered yet. i makes a join link for an agent or a person.',
  tasks: 'No tasks yet. d delegates one.',
  feed: 'Nothing was said yet. b tells everybody, s sends a message.',
  files: 'No files yet. n makes one; agents share theirs with file-put, or a folder with mirror.',
}

/** The words in place of a list without things. */
export const emptyRows = ({ state }: UiFrame, view: View, width: number): Row[] => {
  const words =
    state.filters[view] === '' ? EMPTY_WORDS[view] : 'Nothing has these words; esc shows all.'
  return [[], ...paragraph(words, width, 'dim')]
}

/** The numbers of items above and below those that are seen; '' if there are none. */
export const moreText = (look: UiFrame, list: List, height: number): string => {
  const { top, end } = windowOf(look, list, height)
  const below = list.count - end
  return [...(top > 0 ? [`↑${top}`] : []), ...(below > 0 ? [`↓${below}`] : [])].join(' ')
}

/** The titles of a list, with its order if that was chosen, and how many items are above and below those that are seen. */
export const listHead = (
  look: UiFrame,
  list: List,
  titles: Row,
  width: number,
  height: number,
): Row => {
  const order = look.state.orders[list.view]
  const by = order === 0 ? [] : [`by ${ORDERS[list.view][order]}`]
  const more = [...by, moreText(look, list, height)].filter((part) => part !== '').join('  ')
  const used = titles.findLastIndex(({ text }) => text.trim() !== '') + 1
  return more === '' ? titles : spread(titles.slice(0, used), [seg(more, 'accent')], width)
}

/** The lines of a list in exactly `width` cells and `height` lines; a click picks, a click on what is picked opens. */
export const listRows = (
  look: UiFrame,
  list: List,
  width: number,
  height: number,
  draw: (index: number) => readonly Row[],
): Row[] => {
  const { at } = list
  const { top, end, fits } = windowOf(look, list, height)
  if (list.count === 0 && list.view !== 'tasks')
    return fill(emptyRows(look, list.view, width), width, height)
  const rows: Row[] = []
  for (let i = top; i < end; i++) {
    const click = i === at ? OPEN : selectIn(list, i, fits)
    for (const [line, row] of draw(i).entries()) {
      const marked = markedRow(look, list, i, line, row)
      const shown = clickable(fitRow(marked, width), click)
      rows.push(i === at ? picked(shown) : shown)
    }
  }
  return padded(rows, width, height)
}

/** The row with what says that it is picked, for a screen reader, or marked. */
const markedRow = (look: UiFrame, { at, idAt }: List, i: number, line: number, row: Row): Row => {
  const { marked } = look.state
  if (look.plain)
    return [seg(`${i === at ? '> ' : '  '}${marked.has(idAt(i)) ? 'marked, ' : ''}`), ...row]
  if (marked.size === 0) return row
  return [seg(line === 0 && marked.has(idAt(i)) ? '* ' : '  ', 'warn'), ...row]
}

const OPEN: Event = { type: 'do', command: 'open' }

/** Exactly `height` rows of `width` cells. */
export const fill = (rows: readonly Row[], width: number, height: number): Row[] =>
  padded(
    rows.slice(0, height).map((row) => fitRow(row, width)),
    width,
    height,
  )

/** Of rows that have their width already, exactly `height`. */
const padded = (rows: readonly Row[], width: number, height: number): Row[] => {
  const shown = rows.slice(0, height)
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
  const shown = lines.slice(top, top + height)
  const below = lines.length - top - height
  if (below > 0) shown[height - 1] = [seg(`↓ ${below + 1} more lines`, 'dim')]
  if (top > 0) shown[0] = [seg(`↑ ${top + 1} more lines`, 'dim')]
  return fill(shown, width, height)
}

export const clampTop = (top: number, count: number, height: number): number =>
  Math.min(Math.max(0, top), Math.max(0, count - height))
