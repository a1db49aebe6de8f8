import type { Look } from './look.ts'
import { bodyHeight, maxTop, pageLines } from './screen.ts'
import { type Event, topPage } from './state.ts'
import { agentList } from './views/agents.ts'
import { boardList, boardPlace, boardTitles, columnsOf } from './views/board.ts'
import { feedList } from './views/feed.ts'
import { fileList, linesOf } from './views/files.ts'
import { clampTop, type List, windowOf } from './views/list.ts'
import { helpLines } from './views/overlays.ts'

/** What a moving key does: it scrolls what is read, and picks another line of what is a list. */
export const move = (look: Look, command: string, times = 1): Event[] => {
  const { state } = look
  if (state.mode.kind === 'help')
    return scroll(look, state.mode.top, helpLines().length, command, times)
  const page = topPage(state)
  if (page !== null) {
    if (page.kind === 'editor') return []
    const lines = pageLines(look, page)
    return scroll(
      look,
      clampTop(page.top, lines.length, bodyHeight(look)),
      maxTop(lines, look) + bodyHeight(look),
      command,
      times,
    )
  }
  if (state.view === 'files' && (command === 'left' || command === 'right')) {
    return fold(look, command)
  }
  if (state.view === 'tasks') {
    if (command === 'left' || command === 'right') return sideways(look, command)
    const { column } = boardPlace(columnsOf(look), state.selected.tasks)
    return pick(look, boardList(look, column), command, times)
  }
  return pick(
    look,
    { agents: agentList, feed: feedList, files: fileList }[state.view](look),
    command,
    times,
  )
}

const scroll = (
  look: Look,
  top: number,
  count: number,
  command: string,
  times: number,
): Event[] => {
  const height = bodyHeight(look)
  const by = stepOf(command, height, times)
  if (by === null) return []
  return [{ type: 'scroll', top: clampTop(top + by, count, height) }]
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

/** Lines of a list: the body without the titles over it. */
const listHeight = (look: Look, { view }: List): number =>
  bodyHeight(look) - (view === 'tasks' ? boardTitles(look) : look.plain ? 0 : 1)

const pick = (look: Look, list: List, command: string, times: number): Event[] => {
  const { view, name, ids, at } = list
  const { fits } = windowOf(look, list, listHeight(look, list))
  const by = stepOf(command, fits, times)
  if (by === null || ids.length === 0) return []
  const index = Math.min(Math.max(0, at + by), ids.length - 1)
  const id = ids[index]!
  const select: Event = {
    type: 'select',
    view,
    list: name,
    id,
    index,
    height: fits,
    count: ids.length,
  }
  // At the newest entry the feed goes with what comes.
  return view === 'feed' && index === ids.length - 1 ? [select, { type: 'follow' }] : [select]
}

/** To the next column that has tasks, as far down as one was. */
const sideways = (look: Look, command: 'left' | 'right'): Event[] => {
  const columns = columnsOf(look)
  const place = boardPlace(columns, look.state.selected.tasks)
  const by = command === 'left' ? -1 : 1
  for (let column = place.column + by; columns[column] !== undefined; column += by) {
    const { ids } = columns[column]!
    if (ids.length === 0) continue
    const list = boardList(look, column)
    const index = Math.min(place.index, ids.length - 1)
    const { fits } = windowOf(look, list, listHeight(look, list))
    const { view, name } = list
    return [
      { type: 'select', view, list: name, id: ids[index]!, index, height: fits, count: ids.length },
    ]
  }
  return []
}

const fold = (look: Look, command: 'left' | 'right'): Event[] => {
  const list = fileList(look)
  const line = linesOf(look)[list.at]
  if (line === undefined) return []
  if (line.file === null && line.isFolded === (command === 'right')) {
    return [{ type: 'fold', path: line.id }]
  }
  if (command === 'right') return []
  // From a file, or a folder that is closed, to the folder it is in.
  const parent = line.id.slice(0, line.id.replace(/\/$/, '').lastIndexOf('/') + 1)
  const index = list.ids.indexOf(parent)
  if (index < 0) return []
  const { fits } = windowOf(look, list, listHeight(look, list))
  const { view, name, ids } = list
  return [{ type: 'select', view, list: name, id: parent, index, height: fits, count: ids.length }]
}
