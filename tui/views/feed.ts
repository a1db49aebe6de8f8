import type { FeedEntry } from '../model/feed.ts'
import { type FilterFields, isNarrower, parseFilter, passes } from '../model/filter.ts'
import { foundMessage } from '../model/finder.ts'
import { clock, latest, localTime, type UiFrame, zoneAt } from '../model/frame.ts'
import { type Snapshot, shownNameOf } from '../model/snapshot.ts'
import { finder } from '../model/sorted.ts'
import type { ReadPage } from '../model/state.ts'
import { type Column, columnWidths, type Row, said, seg, tableRow } from '../ui/rows.ts'
import { type List, listHead, listRows } from './parts/list.ts'
import { labelled, paragraph } from './parts/page.ts'
import { kindMark, kindWord } from './parts/symbols.ts'
import { threadRows } from './thread.ts'

/** Names in lower case, once for all entries. */
const lowerNames = latest(
  (names: Snapshot['names']) => new Map([...names].map(([id, name]) => [id, name.toLowerCase()])),
)

const fieldsOf =
  (entry: FeedEntry, names: ReadonlyMap<string, string>): FilterFields =>
  (key) => {
    const name = (id: string | null) => (id === null ? '' : (names.get(id) ?? id.toLowerCase()))
    const { from, to, topic, text, kind, file = '', task = '' } = entry
    switch (key) {
      case '':
        return [lower(text), name(from), name(to), topic && lower(topic), task, file && lower(file)]
      case 'from':
        return [name(from)]
      case 'to':
        return [name(to)]
      case 'agent':
        return [name(from), name(to)]
      case 'topic':
        return [lower(topic)]
      case 'kind':
        return [kindWord(kind)]
      case 'file':
        return [lower(file)]
      case 'task':
        return [lower(task)]
      default:
        return null
    }
  }

const lower = (text: string) => text.toLowerCase()

/** Oldest first. Of a feed that has only grown only what is new is looked at, of a filter only what it found before. */
class Filtered {
  #feed: readonly FeedEntry[] = []
  #names: Snapshot['names'] = new Map()
  #filter = ''
  #found: readonly FeedEntry[] = []

  of(feed: readonly FeedEntry[], names: Snapshot['names'], filter: string): readonly FeedEntry[] {
    if (filter.trim() === '') return feed
    const isOf = names === this.#names
    if (isOf && feed === this.#feed && filter === this.#filter) return this.#found
    const wanted = parseFilter(filter)
    const lowered = lowerNames(names)
    const search = (entries: readonly FeedEntry[]) =>
      entries.filter((entry) => passes(wanted, fieldsOf(entry, lowered)))
    const old = this.#feed
    const hasGrown = old.length > 0 && feed[0] === old[0] && feed[old.length - 1] === old.at(-1)
    if (isOf && hasGrown && filter === this.#filter) {
      this.#found = this.#found.concat(search(feed.slice(old.length)))
    } else if (isOf && feed === old && isNarrower(wanted, parseFilter(this.#filter))) {
      this.#found = search(this.#found)
    } else this.#found = search(feed)
    this.#feed = feed
    this.#names = names
    this.#filter = filter
    return this.#found
  }
}

const filtered = new Filtered()

export const feedItems = ({ snapshot, state }: UiFrame): readonly FeedEntry[] =>
  filtered.of(snapshot.feed, snapshot.names, state.filters.feed)

const placeOf = finder<FeedEntry>(({ id }) => id)

/** Nothing picked means the newest, whatever comes. */
export const feedList = (look: UiFrame): List => {
  const items = feedItems(look)
  const { feed: selected } = look.state.selected
  const found = selected === null ? -1 : placeOf(items, selected)
  const at = found >= 0 ? found : items.length - 1
  const idAt = (index: number) => items[index]!.id
  return { view: 'feed', name: 'feed', count: items.length, idAt, each: 1, at }
}

const COLUMNS: readonly Column[] = [
  { title: 'TIME', min: 11, grow: 0 },
  { title: '', min: 2, grow: 0 },
  { title: 'FROM', min: 14, grow: 1 },
  { title: 'WHAT', min: 20, grow: 8 },
]

export const feedRows = (look: UiFrame, width: number, height: number): Row[] => {
  const { snapshot, plain } = look
  const items = feedItems(look)
  const widths = columnWidths(COLUMNS, width)
  const older = snapshot.hasOlder && items.length > 0 ? '  (g at the top: older)' : ''
  const head = tableRow(
    COLUMNS.map(({ title }, i) => [
      seg(i === 3 ? `${title}${older}` : i === 0 ? `TIME ${zoneAt(snapshot.now)}` : title, 'dim'),
    ]),
    widths,
  )
  const draw = (i: number): Row[] => [
    plain ? plainRow(look, items[i]!) : tableRow(cellsOf(look, items[i]!), widths),
  ]
  if (plain) return listRows(look, feedList(look), width, height, draw)
  return [
    listHead(look, feedList(look), head, width, height - 1),
    ...listRows(look, feedList(look), width, height - 1, draw),
  ]
}

/** Entries that came since the feed was last looked at, and messages that nobody acknowledged. */
const isNew = ({ snapshot, state }: UiFrame, { id, at, from }: FeedEntry): boolean =>
  snapshot.unreadIds.has(id) || (at > state.seenAt && from !== snapshot.me)

const cellsOf = (look: UiFrame, entry: FeedEntry): Row[] => {
  const { snapshot, plain } = look
  const topic =
    entry.topic === '' || entry.topic === 'general' ? [] : [said(`#${entry.topic} `, 'accent')]
  const whom = entry.to === null ? '' : shownNameOf(snapshot, entry.to)
  const isGiven = entry.kind === 'task' && whom !== ''
  const to = whom === '' || isGiven ? [] : [seg('→ ', 'dim'), said(`${whom} `)]
  const text = isGiven ? entry.text.replace(/^delegated: /, `delegated to ${whom}: `) : entry.text
  return [
    [seg(clock(entry.at, snapshot.now), 'dim')],
    [kindMark(entry.kind, plain), isNew(look, entry) ? seg('•', 'warn') : seg(' ')],
    [said(shownNameOf(snapshot, entry.from), 'strong')],
    [...(entry.replyTo === undefined ? [] : [seg('↳ ', 'dim')]), ...to, ...topic, said(text)],
  ]
}

const plainRow = (look: UiFrame, entry: FeedEntry): Row => {
  const { snapshot } = look
  const to = entry.to === null ? '' : ` to ${shownNameOf(snapshot, entry.to)}`
  const topic = entry.topic === '' ? '' : `, topic ${entry.topic}`
  const fresh = isNew(look, entry) ? 'new, ' : ''
  const who = `${shownNameOf(snapshot, entry.from)}${to}`
  const when = clock(entry.at, snapshot.now)
  return [said(`${fresh}${when}, ${kindWord(entry.kind)}, ${who}${topic}: ${entry.text}`)]
}

/** One entry in full; null: there is none. */
export const entryPage = (
  look: UiFrame,
  { id, query }: Pick<ReadPage, 'id' | 'query'>,
  width: number,
): Row[] | null => {
  const { snapshot, reads } = look
  const entry =
    snapshot.feed.findLast((one) => one.id === id) ??
    (query === undefined ? null : foundMessage(reads, query, id, snapshot.me))
  if (entry === null) return null
  const { from, to, topic, text, at, kind, task, file, replyTo } = entry
  const link = (label: string, value: string, click: Row[number]['click']): Row =>
    labelled(label, [{ ...said(value, 'accent'), ...(click !== undefined && { click }) }])
  return [
    labelled('what', [seg(kindWord(kind))]),
    labelled('from', [said(shownNameOf(snapshot, from), 'strong')]),
    ...(to === null ? [] : [labelled('to', [said(shownNameOf(snapshot, to))])]),
    ...(topic === '' ? [] : [labelled('topic', [said(topic)])]),
    labelled('at', [seg(localTime(at))]),
    ...(replyTo === undefined
      ? []
      : [
          link('answers', replyTo, {
            type: 'open',
            page: { kind: 'entry', id: replyTo, top: 0 },
          }),
        ]),
    ...(task === undefined
      ? []
      : [link('task', task, { type: 'open', page: { kind: 'task', id: task, top: 0 } })]),
    ...(file === undefined
      ? []
      : [link('file', file, { type: 'open', page: { kind: 'editor', path: file } })]),
    labelled('id', [said(id, 'dim')]),
    [],
    ...paragraph(text, width),
    // A preview is without it: to find the answers takes a look at the whole feed.
    ...(look.state.pages.length === 0 ? [] : threadRows(look, entry, width)),
  ]
}
