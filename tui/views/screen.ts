import { keyLabel, UI_COMMANDS } from '../model/commands.ts'
import type { UiFrame } from '../model/frame.ts'
import { type Event, keysOf, type Page, topPage, VIEWS, type View } from '../model/state.ts'
import { clickable, fitRow, type Row, rowWidth, said, seg, spread } from '../ui/rows.ts'
import { agentRows } from './agents.ts'
import { boardRows } from './board.ts'
import { feedRows } from './feed.ts'
import { fileRows } from './files.ts'
import { formRows, helpLines, paletteRows, toastRows, typedRow } from './overlays.ts'
import { pageView } from './pages.ts'
import { fill, textRows } from './parts/list.ts'
import { waitsForMe } from './picked.ts'

/** Lines around the body: the header above, the status line below. */
const FRAME_ROWS = 2
/** Smaller than this nothing can be read: it says so instead. */
export const MIN_COLUMNS = 40
export const MIN_ROWS = 8

export const bodyHeight = ({ rows }: Pick<UiFrame, 'rows'>): number =>
  Math.max(1, rows - FRAME_ROWS)

/** The whole frame: exactly `rows` rows of exactly `columns` cells. `null` in place of the body: the editor draws that. */
export const screenRows = (look: UiFrame): { head: Row; body: Row[] | null; foot: Row } => {
  const { columns, state } = look
  const height = bodyHeight(look)
  const page = topPage(state)
  const { mode } = state
  const isEditing = page?.kind === 'editor' && mode.kind === 'browse'
  if (columns < MIN_COLUMNS || look.rows < MIN_ROWS) {
    const words = [seg(`${columns}×${look.rows} is too small`)]
    const [head, ...body] = fill([words], columns, look.rows)
    const foot = body.pop() ?? []
    return { head: head!, body, foot }
  }
  return {
    head: headRow(look),
    body: isEditing ? null : overlaid(look, bodyRows(look, page, height), height),
    foot: footRow(look),
  }
}

const bodyRows = (look: UiFrame, page: Page | null, height: number): Row[] => {
  const { columns, state } = look
  const { mode } = state
  if (mode.kind === 'help') return textRows(helpLines(columns), mode.top, columns, height)
  if (mode.kind === 'form') return formRows(look, mode.form, columns, height)
  if (page !== null && page.kind !== 'editor') {
    const { head, lines } = pageView(look, page, columns, height)
    const top = fill(head, columns, Math.min(head.length, height - 1))
    return [...top, ...textRows(lines, page.top, columns, height - top.length)]
  }
  return VIEW_ROWS[state.view](look, columns, height)
}

const VIEW_ROWS: Readonly<Record<View, (look: UiFrame, width: number, height: number) => Row[]>> = {
  agents: agentRows,
  tasks: boardRows,
  feed: feedRows,
  files: fileRows,
}

/** Toasts and completions, over the last lines of the body. */
const overlaid = (look: UiFrame, body: Row[], height: number): Row[] => {
  const { state, columns } = look
  const over = toastRows(look, columns)
  if (state.mode.kind === 'palette') {
    over.push(...paletteRows(look, state.mode.line.text, state.mode.chosen, columns))
  }
  const shown = over.slice(-Math.max(0, height - 1))
  return [...body.slice(0, height - shown.length), ...shown]
}

const TITLES: Readonly<Record<View, string>> = {
  agents: 'Agents',
  tasks: 'Tasks',
  feed: 'Feed',
  files: 'Files',
}

const headRow = (look: UiFrame): Row => {
  const { snapshot, state, columns, plain } = look
  const counts: Readonly<Record<View, number>> = {
    agents: snapshot.agents.length,
    tasks: snapshot.tasks.length,
    feed: 0,
    files: snapshot.files.length,
  }
  const isNarrow = columns < 100
  const tabs = VIEWS.flatMap((view, i): Row => {
    const isHere = view === state.view
    const count = counts[view] === 0 || isNarrow ? '' : ` ${counts[view]}`
    const [begin, end] = !isHere ? [' ', ' '] : plain ? [' ', ' (here) '] : ['[', ']']
    const event: Event = { type: 'view', view }
    const marked = isNewIn(look, view) ? [seg('•', 'warn')] : []
    const title = seg(`${begin}${i + 1} ${TITLES[view]}`, isHere ? 'strong' : 'plain')
    const rest = [seg(count, 'dim'), ...marked, seg(end, isHere ? 'strong' : 'plain')]
    return clickable([title, ...rest], event)
  })
  const unread = snapshot.unread.length
  const mail = unread === 0 ? [] : [seg(plain ? `${unread} unread ` : `✉ ${unread} `, 'warn')]
  const place = isNarrow ? [] : [said(`${snapshot.where.workspace} `, 'dim')]
  return spread(tabs, [...mail, ...place, ...contactOf(look)], columns)
}

/** True if this view has unseen items. */
const isNewIn = ({ snapshot, state }: UiFrame, view: View): boolean =>
  view === 'feed' && state.view !== 'feed' && hasNews(snapshot, state.seenAt)

/** True if others wrote or acted after this time. */
const hasNews = ({ feed, me }: UiFrame['snapshot'], seenAt: number): boolean => {
  for (let i = feed.length - 1; i >= 0 && feed[i]!.at > seenAt; i--) {
    if (feed[i]!.from !== me) return true
  }
  return false
}

const contactOf = ({ snapshot, columns, plain }: UiFrame): Row => {
  const { connected, since, why } = snapshot.contact
  if (connected) return [seg(plain ? 'connected' : '● connected', 'good')]
  const seconds = Math.max(0, Math.round((snapshot.now - since) / 1000))
  const time = seconds < 120 ? `${seconds} s` : `${Math.round(seconds / 60)} min`
  const reason = why === null || columns < 100 ? '' : `: ${why}`
  return [said(`${plain ? '' : '○ '}offline ${time}${reason}`, 'bad')]
}

/** The typed line, or the keys of this view. */
const footRow = (look: UiFrame): Row => {
  const { state, columns } = look
  const { mode } = state
  if (mode.kind === 'filter') return typedRow([seg('/', 'accent')], mode.line, columns)
  if (mode.kind === 'palette') return typedRow([seg(':', 'accent')], mode.line, columns)
  if (mode.kind === 'form') {
    const keys = mode.form.isSending ? 'on its way …' : 'enter send  tab next field  esc leave'
    return fitRow([seg(keys, 'dim')], columns)
  }
  if (mode.kind === 'help') return fitRow([seg('j k scroll  esc back', 'dim')], columns)
  const filter = state.filters[state.view]
  const page = topPage(state)
  const lead: Row =
    page !== null
      ? [seg('esc back  ', 'dim')]
      : filter === ''
        ? []
        : [seg('/', 'accent'), said(filter, 'accent'), seg('  esc all  ', 'dim')]
  return fitRow([...lead, ...hints(look, columns - rowWidth(lead))], columns)
}

const LEADS_ON: ReadonlySet<Page['kind']> = new Set<Page['kind']>([
  ...(['agent', 'entry', 'suggestions', 'checkpoints'] as const),
])

/** The keys of the view first; as many as fit, help always. */
const hints = (look: UiFrame, width: number): Row => {
  const { state } = look
  const named = UI_COMMANDS.filter(({ bar }) => bar !== undefined)
  const here = named.filter(({ where }) => where === keysOf(state))
  const page = topPage(state)
  const everywhere = named.filter(({ where, name }) => {
    if (where !== 'everywhere') return false
    if (page === null) return true
    // A page is not filtered, and only some lead on to another.
    return name === 'open' ? LEADS_ON.has(page.kind) : name !== 'filter'
  })
  const open = everywhere.find(({ name }) => name === 'open')
  const rest = everywhere.filter(({ name }) => name !== 'help' && name !== 'open')
  const help = everywhere.filter(({ name }) => name === 'help')
  const told = here.map((one) =>
    one.name === 'respond' && waitsForMe(look) ? { ...one, bar: 'answer' } : one,
  )
  const parts = [...(open === undefined ? [] : [open]), ...told, ...rest].map(hint)
  const end = help.flatMap(hint)
  const shown: Row[] = []
  let left = width - rowWidth(end)
  for (const part of parts) {
    left -= rowWidth(part)
    if (left < 0) break
    shown.push(part)
  }
  return [...shown.flat(), ...end]
}

const hint = ({ name, keys, bar }: (typeof UI_COMMANDS)[number]): Row =>
  clickable([seg(keyLabel(keys[0]!), 'accent'), seg(` ${bar}  `, 'dim')], {
    type: 'do',
    command: name,
  })
