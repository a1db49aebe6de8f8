import type { FeedEntry } from '../feed.ts'
import { type Fields, parseFilter, passes } from '../filter.ts'
import { clock, type Look, latest } from '../look.ts'
import { nameOf, type Snapshot } from '../snapshot.ts'
import { type Column, columnWidths, type Row, said, seg, tableRow } from '../ui/rows.ts'
import { type List, listRows } from './list.ts'
import { labelled, paragraph } from './page.ts'
import { kindMark, kindWord } from './symbols.ts'

const lower = (text: string) => text.toLowerCase()

const fieldsOf = (entry: FeedEntry, names: Snapshot['names']): Fields => {
  const name = (id: string | null) => (id === null ? '' : lower(names.get(id) ?? id))
  const [from, to] = [name(entry.from), name(entry.to)]
  const topic = lower(entry.topic)
  return {
    '': `${lower(entry.text)} ${from} ${to} ${topic} ${lower(entry.task ?? '')} ${lower(entry.file ?? '')}`,
    ...{ from, to, agent: `${from} ${to}`, topic, kind: kindWord(entry.kind) },
    ...{ file: lower(entry.file ?? ''), task: lower(entry.task ?? '') },
  }
}

/** Oldest first. Of a feed that has only grown, only what is new is looked at. */
class Filtered {
  #feed: readonly FeedEntry[] = []
  #names: Snapshot['names'] = new Map()
  #filter = ''
  #found: readonly FeedEntry[] = []

  of(feed: readonly FeedEntry[], names: Snapshot['names'], filter: string): readonly FeedEntry[] {
    if (filter.trim() === '') return feed
    if (feed === this.#feed && names === this.#names && filter === this.#filter) return this.#found
    const wanted = parseFilter(filter)
    const old = this.#feed
    const hasGrown =
      filter === this.#filter &&
      names === this.#names &&
      old.length > 0 &&
      feed[0] === old[0] &&
      feed[old.length - 1] === old.at(-1)
    const fresh = (hasGrown ? feed.slice(old.length) : feed).filter((entry) =>
      passes(wanted, fieldsOf(entry, names)),
    )
    this.#found = hasGrown ? this.#found.concat(fresh) : fresh
    this.#feed = feed
    this.#names = names
    this.#filter = filter
    return this.#found
  }
}

const filtered = new Filtered()

export const feedItems = ({ snapshot, state }: Look): readonly FeedEntry[] =>
  filtered.of(snapshot.feed, snapshot.names, state.filters.feed)

const idsOf = latest((items: readonly FeedEntry[]): readonly string[] => items.map(({ id }) => id))

/** Nothing picked means the newest, whatever comes. */
export const feedList = (look: Look): List => {
  const ids = idsOf(feedItems(look))
  const { selected } = look.state
  const found = selected.feed === null ? -1 : ids.lastIndexOf(selected.feed)
  return { view: 'feed', name: 'feed', ids, each: 1, at: found >= 0 ? found : ids.length - 1 }
}

const COLUMNS: readonly Column[] = [
  { title: 'TIME', min: 11, grow: 0 },
  { title: '', min: 2, grow: 0 },
  { title: 'FROM', min: 14, grow: 1 },
  { title: 'WHAT', min: 20, grow: 8 },
]

export const feedRows = (look: Look, width: number, height: number): Row[] => {
  const { snapshot, plain } = look
  const items = feedItems(look)
  const widths = columnWidths(COLUMNS, width)
  const older = snapshot.hasOlder && items.length > 0 ? '  (g at the top: older)' : ''
  const head = tableRow(
    COLUMNS.map(({ title }, i) => [seg(i === 3 ? `${title}${older}` : title, 'dim')]),
    widths,
  )
  const draw = (i: number): Row[] => [
    plain ? plainRow(look, items[i]!) : tableRow(cellsOf(look, items[i]!), widths),
  ]
  if (plain) return listRows(look, feedList(look), width, height, draw)
  return [head, ...listRows(look, feedList(look), width, height - 1, draw)]
}

/** Entries that came since the feed was last looked at, and messages that nobody acknowledged. */
const isNew = ({ snapshot, state }: Look, { id, at, from }: FeedEntry): boolean =>
  snapshot.unreadIds.has(id) || (at > state.seenAt && from !== snapshot.me)

const cellsOf = (look: Look, entry: FeedEntry): Row[] => {
  const { snapshot, plain } = look
  const topic =
    entry.topic === '' || entry.topic === 'general' ? [] : [said(`#${entry.topic} `, 'accent')]
  const to = entry.to === null ? [] : [seg('→ ', 'dim'), said(`${nameOf(snapshot, entry.to)} `)]
  return [
    [seg(clock(entry.at, snapshot.now), 'dim')],
    [kindMark(entry.kind, plain), isNew(look, entry) ? seg('•', 'warn') : seg(' ')],
    [said(nameOf(snapshot, entry.from), 'strong')],
    [...to, ...topic, said(firstPart(entry.text))],
  ]
}

/** What a line can show of a long text: measuring the rest would be for nothing (UTF-16 units). */
const MAX_SHOWN = 600
const firstPart = (text: string): string =>
  text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text

const plainRow = (look: Look, entry: FeedEntry): Row => {
  const { snapshot } = look
  const to = entry.to === null ? '' : ` to ${nameOf(snapshot, entry.to)}`
  const topic = entry.topic === '' ? '' : `, topic ${entry.topic}`
  const fresh = isNew(look, entry) ? 'new, ' : ''
  const who = `${nameOf(snapshot, entry.from)}${to}`
  const when = clock(entry.at, snapshot.now)
  return [
    said(`${fresh}${when}, ${kindWord(entry.kind)}, ${who}${topic}: ${firstPart(entry.text)}`),
  ]
}

/** One entry in full; null: there is none. */
export const entryPage = ({ snapshot }: Look, id: string, width: number): Row[] | null => {
  const entry = snapshot.feed.findLast((one) => one.id === id)
  if (entry === undefined) return null
  const { from, to, topic, text, at, kind, task, file, replyTo } = entry
  const link = (label: string, value: string, click: Row[number]['click']): Row =>
    labelled(label, [{ ...said(value, 'accent'), ...(click !== undefined && { click }) }])
  return [
    labelled('what', [seg(kindWord(kind))]),
    labelled('from', [said(nameOf(snapshot, from), 'strong')]),
    ...(to === null ? [] : [labelled('to', [said(nameOf(snapshot, to))])]),
    ...(topic === '' ? [] : [labelled('topic', [said(topic)])]),
    labelled('at', [seg(new Date(at).toISOString())]),
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
  ]
}
