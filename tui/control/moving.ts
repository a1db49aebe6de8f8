import type { UiFrame } from '../model/frame.ts'
import { type Event, type ReadPage, topPage } from '../model/state.ts'
import { keepVisible } from '../text/scroll.ts'
import { boardList, boardPlace, boardTitles, columnsOf } from '../views/board.ts'
import { linesOf } from '../views/files.ts'
import { shownHelp } from '../views/help.ts'
import { pageView } from '../views/pages.ts'
import { clampTop, type List, selectIn, windowOf } from '../views/parts/list.ts'
import type { PageView } from '../views/parts/page-view.ts'
import { listOf } from '../views/picked.ts'
import { bodyHeight } from '../views/screen.ts'

/** The effect of a movement key: scrolls a page, or picks another line of a list. */
export const moveEvents = (look: UiFrame, command: string, times = 1): Event[] => {
  const { mode, view } = look.state
  if (mode.kind === 'help') {
    return scroll(look, mode.top, shownHelp(look).length, command, times)
  }
  const page = topPage(look.state)
  if (page?.kind === 'editor') return []
  if (page !== null) return onPage(look, page, command, times)
  if (command === 'left' || command === 'right') {
    if (view === 'files') return fold(look, command)
    return view === 'tasks' ? sideways(look, command) : []
  }
  return pick(look, listOf(look), command, times)
}

/** The lines of an open page that scroll: how many are seen at a time. */
const pageHeight = (look: UiFrame, { head }: PageView): number =>
  Math.max(1, bodyHeight(look) - head.length)

/** Left and right go through the items of a page, up and down scroll it; in a list up and down pick. */
const onPage = (look: UiFrame, page: ReadPage, command: string, times: number): Event[] => {
  const view = pageView(look, page, look.columns, bodyHeight(look))
  const height = pageHeight(look, view)
  const isSideways = command === 'left' || command === 'right'
  const isEnd = command === 'first' || command === 'last'
  if (view.items !== null && (view.isList || isSideways || isEnd)) {
    const step = isSideways ? (command === 'left' ? -1 : 1) : stepOf(command, height, times)
    return step === null ? [] : pickOn(look, page, step)
  }
  return scroll(look, page.top, view.lines.length, command, times, height)
}

/** Picks the item `by` items on, or back if negative, as far as there are any; whoever does this does not watch a film. */
export const pickOn = (look: UiFrame, page: ReadPage, by: number): Event[] => {
  const view = pageView(look, page, look.columns, bodyHeight(look))
  const { items, lines } = view
  if (items === null || items.count === 0) return []
  const index = Math.min(Math.max(0, items.at + by), items.count - 1)
  const height = pageHeight(look, view)
  const line = items.lineAt?.(index)
  const top = line === undefined ? 0 : keepVisible(page.top, line, height, lines.length)
  return [{ type: 'page', change: { at: items.idAt(index), top, isPlaying: false } }]
}

const scroll = (
  look: UiFrame,
  from: number,
  count: number,
  command: string,
  times: number,
  height = bodyHeight(look),
): Event[] => {
  const by = stepOf(command, height, times)
  if (by === null) return []
  return [{ type: 'scroll', top: clampTop(clampTop(from, count, height) + by, count, height) }]
}

const stepOf = (command: string, page: number, times: number): number | null => {
  switch (command) {
    case 'down':
      return times
    case 'up':
      return -times
    case 'page-down':
      return Math.max(1, page - 1)
    case 'page-up':
      return -Math.max(1, page - 1)
    case 'first':
      return Number.NEGATIVE_INFINITY
    case 'last':
      return Number.POSITIVE_INFINITY
    default:
      return null
  }
}

/** Items of a list that are seen: the body's lines without the titles over it. */
const fitsIn = (look: UiFrame, list: List): number => {
  const titles = list.view === 'tasks' ? boardTitles(look) : look.plain ? 0 : 1
  return windowOf(look, list, bodyHeight(look) - titles).fits
}

const pick = (look: UiFrame, list: List, command: string, times: number): Event[] => {
  const { view, count, at } = list
  const fits = fitsIn(look, list)
  const by = stepOf(command, fits, times)
  if (by === null || count === 0) return []
  const index = Math.min(Math.max(0, at + by), count - 1)
  const select = selectIn(list, index, fits)
  // At the newest entry the feed goes with what comes.
  return view === 'feed' && index === count - 1 ? [select, { type: 'follow' }] : [select]
}

/** To the next column that has tasks, as far down as one was. */
const sideways = (look: UiFrame, command: 'left' | 'right'): Event[] => {
  const columns = columnsOf(look)
  const place = boardPlace(columns, look.state.selected.tasks)
  const by = command === 'left' ? -1 : 1
  for (let column = place.column + by; columns[column] !== undefined; column += by) {
    const list = boardList(look, column)
    if (list.count === 0) continue
    return [selectIn(list, Math.min(place.index, list.count - 1), fitsIn(look, list))]
  }
  return []
}

/** Opens or closes a folder; from a file, or a folder that is closed, goes to the folder it is in. */
const fold = (look: UiFrame, command: 'left' | 'right'): Event[] => {
  const list = listOf(look)
  const lines = linesOf(look)
  const line = lines[list.at]
  if (line === undefined) return []
  if (line.file === null && line.isFolded === (command === 'right')) {
    return [{ type: 'fold', path: line.id }]
  }
  if (command === 'right') return []
  const parent = line.id.slice(0, line.id.replace(/\/$/, '').lastIndexOf('/') + 1)
  const index = lines.findIndex(({ id }) => id === parent)
  return index < 0 ? [] : [selectIn(list, index, fitsIn(look, list))]
}
