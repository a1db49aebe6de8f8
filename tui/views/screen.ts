import { keyLabel, UI_COMMANDS, type UiCommand } from '../model/commands.ts'
import type { UiFrame } from '../model/frame.ts'
import { type Form, type Page, topPage, type View } from '../model/state.ts'
import { clickable, fitRow, type Row, rowWidth, said, seg } from '../ui/rows.ts'
import { agentRows } from './agents.ts'
import { boardRows } from './board.ts'
import { connectRows } from './connect.ts'
import { feedRows } from './feed.ts'
import { fileRows } from './files.ts'
import { finderRows } from './finder.ts'
import { forMeRows } from './for-me.ts'
import { shownHelp } from './help.ts'
import { formRows, paletteRows, toastRows, typedRow } from './overlays.ts'
import { pageView } from './pages.ts'
import { headRow } from './parts/head.ts'
import { fill, textRows } from './parts/list.ts'
import { DIVIDER, isSplit, listColumns } from './parts/split.ts'
import { whyNot } from './parts/watching.ts'
import { pickedOffers, placeOf, waitsForMe } from './picked.ts'
import { previewRows } from './preview.ts'

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
    body: isEditing ? null : overlaid(look, page, height),
    foot: footRow(look),
  }
}

const bodyRows = (look: UiFrame, page: Page | null, height: number): Row[] => {
  const { columns, state } = look
  const { mode } = state
  if (mode.kind === 'help') return textRows(shownHelp(look), mode.top, columns, height)
  if (mode.kind === 'finder') return finderRows(look, mode, columns, height)
  if (mode.kind === 'connect') return fill(connectRows(look, columns), columns, height)
  if (mode.kind === 'form') return formRows(look, mode.form, columns, height)
  if (page !== null && page.kind !== 'editor') {
    const { head, lines } = pageView(look, page, columns, height)
    const top = fill(head, columns, Math.min(head.length, height - 1))
    return [...top, ...textRows(lines, page.top, columns, height - top.length)]
  }
  const width = listColumns(look)
  const rows = VIEW_ROWS[state.view](look, width, height)
  if (!isSplit(look)) return rows
  const cells = columns - width - DIVIDER.length
  const beside = previewRows(look, cells, height)
  return rows.map((row, y) => [...row, seg(DIVIDER, 'dim'), ...beside[y]!])
}

const VIEW_ROWS: Readonly<Record<View, (look: UiFrame, width: number, height: number) => Row[]>> = {
  me: forMeRows,
  agents: agentRows,
  tasks: boardRows,
  feed: feedRows,
  files: fileRows,
}

/** The body, with toasts and completions under it. */
const overlaid = (look: UiFrame, page: Page | null, height: number): Row[] => {
  const { state, columns } = look
  const under = toastRows(look, columns)
  if (state.mode.kind === 'palette') {
    under.push(...paletteRows(look, state.mode.line.text, state.mode.chosen, columns, height))
  }
  const shown = under.slice(-Math.max(0, height - 1))
  return [...bodyRows(look, page, height - shown.length), ...shown]
}

/** The typed line, or the keys of this view. */
const footRow = (look: UiFrame): Row => {
  const { state, columns } = look
  const { mode } = state
  if (mode.kind === 'filter') return typedRow([seg('/', 'accent')], mode.line, columns)
  if (mode.kind === 'palette') return typedRow([seg(':', 'accent')], mode.line, columns)
  if (mode.kind === 'form') {
    return fitRow([seg(formKeys(mode.form), 'dim')], columns)
  }
  if (mode.kind === 'connect') return fitRow([seg('q quit', 'dim')], columns)
  if (mode.kind === 'finder') return typedRow([seg('find ', 'accent')], mode.line, columns)
  if (mode.kind === 'help') {
    if (mode.line !== null) return typedRow([seg('/', 'accent')], mode.line, columns)
    return fitRow([seg('j k scroll  / search  esc back', 'dim')], columns)
  }
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

const formKeys = ({ fields, isSending }: Form): string => {
  if (isSending) return 'on its way …'
  const hasText = fields.some(({ kind }) => kind === 'text')
  const hasChoice = fields.some(({ kind }) => kind === 'choice')
  return [
    hasText ? 'enter or ctrl-s send  ctrl-j line end' : 'enter send',
    ...(hasChoice ? ['← → choose'] : []),
    ...['tab next field', 'esc leave'],
  ].join('  ')
}

const LEADS_ON: ReadonlySet<Page['kind']> = new Set<Page['kind']>([
  ...(['agent', 'entry', 'suggestions', 'checkpoints'] as const),
])

/** The keys of the view first; as many as fit, help always. */
const hints = (look: UiFrame, width: number): Row => {
  const { state, snapshot } = look
  const named = UI_COMMANDS.filter(
    (command) => command.bar !== undefined && whyNot(snapshot, command) === null,
  )
  const here = named.filter(({ where }) => where === placeOf(look))
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
  const told = here.flatMap((one) => offered(look, one) ?? [])
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

/** Commands about tasks that their rules decide on. */
const RULED: ReadonlySet<string> = new Set([
  ...['claim', 'respond', 'answer', 'approve', 'decline', 'cancel', 'release'],
])

/** The command as the status line has it; null: it would be refused, as far as that is known here. */
const offered = (look: UiFrame, command: UiCommand): UiCommand | null => {
  const offers = pickedOffers(look)
  if (offers === null || !RULED.has(command.name)) return command
  if (command.name === 'respond' && waitsForMe(look)) return { ...command, bar: 'answer' }
  return offers.has(command.name) ? command : null
}

const hint = ({ name, keys, bar }: (typeof UI_COMMANDS)[number]): Row =>
  clickable([seg(keyLabel(keys[0]!), 'accent'), seg(` ${bar}  `, 'dim')], {
    type: 'do',
    command: name,
  })
