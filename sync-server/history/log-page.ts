import { ClawError } from '../../protocol/errors.ts'
import { otherKind } from '../../protocol/ids.ts'
import { resolveAgent } from '../../workspace/agents/agents.ts'
import type { BroadcastEntry } from '../../workspace/document/schema.ts'
import { inLog, type LogFilter, readArchived, type Since } from '../../workspace/inbox/archive.ts'
import { liveBroadcasts, newestBroadcasts } from '../../workspace/messages/live-log.ts'
import { CLOCK_SKEW_MS, LOG_SCAN_MS, PAGE_BYTES } from '../config/limits.ts'
import type { UpdateLog } from '../storage/update-log.ts'
import type { Room } from '../sync/room.ts'

export interface LogQuery extends LogFilter {
  limit: number
  since: Since | null
  /** Milliseconds since the epoch, by the server's clock. */
  now: number
}

export interface LogPage {
  /** In the order of the log. */
  entries: BroadcastEntry[]
  /** There is more: after `next`, or for a newest page before its first. */
  more: boolean
  /** The entry to go on after; null where the log is empty. */
  next: string | null
}

/** Archived entries read at once. */
const CHUNK = 128

/**
 * One page of a room's log, archived and live. The newest page without a filter takes time by its `limit` and by the
 * live part, however long the log is. A filter is looked for entry by entry, for at most LOG_SCAN_MS: a page may have
 * fewer entries than there are, or none, and say `more`. A time is found by halving: entries are archived in the order
 * of the server's clock, at most CLOCK_SKEW_MS before they say they were sent.
 *
 * Who goes on with `next` gets everything that was there when it began, each entry once, however much comes in and is
 * archived meanwhile: what is live goes by time, and so does what leaves it, so that what stood before `next` is
 * archived before it, and what stood after it, after it. What comes in meanwhile is after `next` unless its writer had
 * not seen that one: written offline, or in the same moment. Then it has its place among those of its time, or, where
 * these are archived, first of the live ones; who is past that place finds it by its inbox. An entry whose time is more
 * than MAX_AHEAD_MS ahead of the server's stands first until then, and is archived first.
 *
 * Throws `unknown_agent`, `ambiguous`, `unknown_message`.
 */
export const readLog = async (room: Room, log: UpdateLog, query: LogQuery): Promise<LogPage> =>
  query.since === null ? newestPage(room, log, query) : pageSince(room, log, query, query.since)

/** Reads something of the live document that goes together with the archive: no trim came between. */
const beside = async <T>(
  room: Room,
  log: UpdateLog,
  read: (doc: Room['doc']) => T,
): Promise<[T, number]> => {
  for (;;) {
    const end = await log.archiveEnd(room.name, 'broadcasts')
    const value = await room.command(read)
    if ((await log.archiveEnd(room.name, 'broadcasts')) === end) return [value, end]
  }
}

/** Collects what a page is made of, until it is full. */
class Collected {
  readonly entries: BroadcastEntry[] = []
  more = false
  readonly #filter: LogFilter
  readonly #limit: number
  readonly #until = performance.now() + LOG_SCAN_MS
  #looked = false
  #bytes = 0

  constructor(filter: LogFilter, limit: number) {
    this.#filter = filter
    this.#limit = limit
  }

  /** Looks at one entry; false if the page was full before it. */
  take(entry: BroadcastEntry): boolean {
    const full = this.entries.length >= this.#limit || this.#bytes >= PAGE_BYTES
    if (full || (this.#looked && performance.now() > this.#until)) {
      this.more = true
      return false
    }
    this.#looked = true
    if (inLog(entry, this.#filter)) {
      this.entries.push(entry)
      this.#bytes += entry.content.length
    }
    return true
  }
}

const filterOf = (doc: Room['doc'], { from, ...filter }: LogQuery): LogFilter =>
  from === undefined ? filter : { ...filter, from: resolveAgent(doc, from) }

const newestPage = async (room: Room, log: UpdateLog, query: LogQuery): Promise<LogPage> => {
  const [{ page, newest }, end] = await beside(room, log, (doc) => {
    const page = new Collected(filterOf(doc, query), query.limit)
    let newest: string | null = null
    for (const entry of newestBroadcasts(doc, query.now)) {
      newest ??= entry.id
      if (!page.take(entry)) break
    }
    return { page, newest }
  })
  let next = newest
  let size = query.limit
  for (let before = end + 1; before > 1 && !page.more; size *= 2) {
    const after = Math.max(0, before - 1 - Math.min(CHUNK, size))
    const chunk = await log.archived(room.name, 'broadcasts', after, before - 1 - after)
    for (const { value } of chunk.reverse()) {
      const { entry } = readArchived(value)
      if (entry === null) continue
      next ??= entry.id
      if (!page.take(entry)) break
    }
    before = after + 1
  }
  return { entries: page.entries.reverse(), more: page.more, next }
}

const pageSince = async (
  room: Room,
  log: UpdateLog,
  query: LogQuery,
  since: Since,
): Promise<LogPage> => {
  const [{ filter, live }, end] = await beside(room, log, (doc) => ({
    filter: { ...filterOf(doc, query), at: since.at },
    live: liveBroadcasts(doc, query.now),
  }))
  const page = new Collected(filter, query.limit)
  let next = since.after ?? null
  const take = (entry: BroadcastEntry): boolean => {
    const taken = page.take(entry)
    if (taken) next = entry.id
    return taken
  }
  const { position, index } = await placeOf(since, room.name, log, live, end)
  for (let after = position; after < end && !page.more; ) {
    const chunk = await log.archived(
      room.name,
      'broadcasts',
      after,
      Math.min(CHUNK, end - after),
      PAGE_BYTES,
    )
    for (const { value } of chunk) {
      const { entry } = readArchived(value)
      if (entry !== null && !take(entry)) break
    }
    after = chunk.at(-1)!.seq
  }
  for (let i = index; i < live.length && !page.more; i++) take(live[i]!)
  return { entries: page.entries, more: page.more, next }
}

/** The start of a page: a position in the archive and an index into the live entries. */
const placeOf = async (
  { at, after }: Since,
  workspace: string,
  log: UpdateLog,
  live: readonly BroadcastEntry[],
  end: number,
): Promise<{ position: number; index: number }> => {
  if (after === undefined) {
    return { position: await positionAt(log, workspace, end, (at ?? 0) - CLOCK_SKEW_MS), index: 0 }
  }
  // Of two with one id, the archived one came first.
  const position = await log.archivePosition(workspace, 'broadcasts', after)
  const index = live.findIndex(({ id }) => id === after)
  if (position !== null && (position <= end || index < 0)) return { position, index: 0 }
  if (index >= 0) return { position: end, index: index + 1 }
  throw new ClawError(
    'unknown_message',
    `no message "${after.slice(0, 80)}" in the log of this workspace${otherKind(after, 'm')}`,
    'give an id that the log shows, or a time such as 2h',
  )
}

/** The position after which everything was archived at or after `at`. */
const positionAt = async (
  log: UpdateLog,
  workspace: string,
  end: number,
  at: number,
): Promise<number> => {
  let [low, high] = [0, end]
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    const [found] = await log.archived(workspace, 'broadcasts', middle, 1)
    if (readArchived(found!.value).at < at) low = middle + 1
    else high = middle
  }
  return low
}
