import type { FeedEntry } from '../model/feed.ts'
import { clock, latest, type UiFrame } from '../model/frame.ts'
import { shownNameOf } from '../model/snapshot.ts'
import { type Row, said, seg } from '../ui/rows.ts'
import { paragraph } from './parts/page.ts'

/** The messages of a thread that a page shows at most (count): the newest. */
const MAX_SHOWN = 200

interface Threads {
  byId: ReadonlyMap<string, FeedEntry>
  answers: ReadonlyMap<string, readonly FeedEntry[]>
}

const threadsIn = latest((feed: readonly FeedEntry[]): Threads => {
  const byId = new Map<string, FeedEntry>()
  const answers = new Map<string, FeedEntry[]>()
  for (const entry of feed) {
    if (entry.kind !== 'broadcast' && entry.kind !== 'direct') continue
    byId.set(entry.id, entry)
    if (entry.replyTo === undefined) continue
    const known = answers.get(entry.replyTo)
    if (known === undefined) answers.set(entry.replyTo, [entry])
    else known.push(entry)
  }
  return { byId, answers }
})

/** The messages that answer each other, this one among them, oldest first; itself alone if nobody answers. */
export const threadOf = (feed: readonly FeedEntry[], entry: FeedEntry): readonly FeedEntry[] => {
  const { byId, answers } = threadsIn(feed)
  const seen = new Set<FeedEntry>([entry])
  let root = entry
  for (;;) {
    const above = byId.get(root.replyTo ?? '')
    // Authors choose the ids: a circle has no beginning.
    if (above === undefined || seen.has(above)) break
    seen.add(above)
    root = above
  }
  const all = new Set<FeedEntry>([root])
  for (const one of all) for (const answer of answers.get(one.id) ?? []) all.add(answer)
  return [...all].sort((a, b) => a.at - b.at)
}

/** The thread of a message, message by message; no rows if it is alone. */
export const threadRows = ({ snapshot }: UiFrame, entry: FeedEntry, width: number): Row[] => {
  const thread = threadOf(snapshot.feed, entry)
  if (thread.length < 2) return []
  const hidden = thread.length - MAX_SHOWN
  return [
    [],
    [seg(`Thread of ${thread.length} messages`, 'strong')],
    ...(hidden > 0 ? [[seg(`… ${hidden} before these`, 'dim')]] : []),
    ...thread
      .slice(-MAX_SHOWN)
      .flatMap((one): Row[] => [
        [
          seg(one.id === entry.id ? '> ' : '  ', 'accent'),
          said(shownNameOf(snapshot, one.from), 'strong'),
          ...(one.to === null ? [] : [seg(' → ', 'dim'), said(shownNameOf(snapshot, one.to))]),
          seg(`  ${clock(one.at, snapshot.now)}`, 'dim'),
        ],
        ...paragraph(one.text, Math.max(20, width - 4)).map((row) => [seg('    '), ...row]),
      ]),
  ]
}
