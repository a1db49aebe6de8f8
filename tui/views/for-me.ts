import { type FilterFields, parseFilter, passes } from '../model/filter.ts'
import { type ForMe, forMe, type Reason } from '../model/for-me.ts'
import { clock, latest, type UiFrame } from '../model/frame.ts'
import { shownNameOf } from '../model/snapshot.ts'
import { type Column, columnWidths, type Row, said, seg, type Tone, tableRow } from '../ui/rows.ts'
import { type List, listHead, listRows } from './parts/list.ts'

const fieldsOf =
  ({ why, text, from, about }: ForMe, names: ReadonlyMap<string, string>): FilterFields =>
  (key) => {
    const sender = (names.get(from) ?? from).toLowerCase()
    if (key === '') return [WORDS[why][0], text.toLowerCase(), sender, about.toLowerCase()]
    if (key === 'from') return [sender]
    return key === 'kind' ? [WORDS[why][0]] : null
  }

/** The word of a reason, and its keys. */
const WORDS: Readonly<Record<Reason, readonly [word: string, keys: string, tone: Tone]>> = {
  answer: ['answer', 'r', 'warn'],
  approval: ['approve', 'a x', 'warn'],
  review: ['review', 'a x', 'warn'],
  claim: ['claim', 'c x', 'warn'],
  message: ['message', 'r', 'warn'],
  open: ['open to all', 'c', 'dim'],
  news: ['news', '', 'dim'],
}

const shown = latest(
  (all: readonly ForMe[], names: ReadonlyMap<string, string>, filter: string): readonly ForMe[] => {
    const wanted = parseFilter(filter)
    return wanted.words.length === 0
      ? all
      : all.filter((item) => passes(wanted, fieldsOf(item, names)))
  },
)

export const forMeItems = ({ snapshot, state }: UiFrame): readonly ForMe[] =>
  shown(forMe(snapshot), snapshot.names, state.filters.me)

export const forMeList = (look: UiFrame): List => {
  const items = forMeItems(look)
  const found = items.findIndex(({ id }) => id === look.state.selected.me)
  const idAt = (index: number) => items[index]!.id
  return { view: 'me', name: 'me', count: items.length, idAt, each: 1, at: Math.max(0, found) }
}

/** The item that is picked; null: there is none. */
export const pickedForMe = (look: UiFrame): ForMe | null =>
  forMeItems(look)[forMeList(look).at] ?? null

const COLUMNS: readonly Column[] = [
  { title: 'FOR YOUR', min: 11, grow: 0 },
  { title: 'KEYS', min: 4, grow: 0 },
  { title: 'FROM', min: 14, grow: 1 },
  { title: 'WHAT', min: 24, grow: 8 },
  { title: 'SINCE', min: 11, grow: 0 },
]

export const forMeRows = (look: UiFrame, width: number, height: number): Row[] => {
  const { snapshot, plain } = look
  const items = forMeItems(look)
  const widths = columnWidths(COLUMNS, width)
  const head = tableRow(
    COLUMNS.map(({ title }) => [seg(title, 'dim')]),
    widths,
  )
  const draw = (i: number): Row[] => {
    const { why, from, text, at } = items[i]!
    const [word, keys, tone] = WORDS[why]
    const [sender, when] = [shownNameOf(snapshot, from), clock(at, snapshot.now)]
    if (plain) return [[said(`${word}, ${sender}: ${text}, since ${when}`)]]
    const cells: Row[] = [
      [seg(word, tone)],
      [seg(keys, 'accent')],
      [said(sender, 'strong')],
      [said(text)],
      [seg(when, 'dim')],
    ]
    return [tableRow(cells, widths)]
  }
  if (plain) return listRows(look, forMeList(look), width, height, draw)
  return [
    listHead(look, forMeList(look), head, width, height - 1),
    ...listRows(look, forMeList(look), width, height - 1, draw),
  ]
}
