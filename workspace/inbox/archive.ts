import type * as Y from 'yjs'
import { parseIso, parseSpan } from '../../lib/text/when.ts'
import { ClawError } from '../../protocol/errors.ts'
import { otherKind } from '../../protocol/ids.ts'
import { removeFrom } from '../document/buckets.ts'
import { deleteAll } from '../document/rows.ts'
import {
  type BroadcastEntry,
  broadcastsOf,
  isoTime,
  metaOf,
  receiptsOf,
} from '../document/schema.ts'
import { isBroadcast } from '../document/shape.ts'
import { inLogOrder, liveBroadcasts } from '../messages/live-log.ts'
import { receiptKey } from '../tasks/receipts.ts'

/**
 * The log of a workspace: archived entries in the order of their positions, then live entries by
 * time (workspace/messages/live-log.ts). The server archives the oldest live entries in their
 * order, so an entry keeps its place in the log unless an older one arrives after it.
 */

/** An entry of the archive. */
export interface Archived {
  /** The Yjs id of its element: a replica whose state vector covers it has seen it. */
  client: number
  clock: number
  /**
   * When it was archived: milliseconds since the epoch by the clock of the server; never decreases.
   */
  at: number
  /** Null: it breaks the grammar of docs/SCHEMA.md. */
  entry: BroadcastEntry | null
}

/**
 * Removes the oldest broadcasts from the live array, in the order of the log, so that `keep` are
 * left, and returns them in that order for the archive; malformed ones have no id. `end` is the
 * position of the newest archived entry. Server only.
 */
export const trimBroadcasts = (
  doc: Y.Doc,
  keep: number,
  end: number,
  now: number,
): { id: string | null; value: Uint8Array }[] => {
  const elements = inLogOrder(doc, now)
  const oldest = elements.slice(0, Math.max(0, elements.length - keep))
  if (oldest.length === 0) return []
  const utf8 = new TextEncoder()
  return doc.transact(() => {
    const trimmed = oldest.map(({ client, clock, value }) => {
      const entry = isBroadcast(value) ? value : null
      // Its receipt goes with it: nobody can ask for it any more.
      if (entry?.to !== undefined) {
        removeFrom(receiptsOf(doc), receiptKey(doc, entry.id, entry.to))
      }
      const json = JSON.stringify({ client, clock, at: now, entry })
      return { id: entry?.id ?? null, value: utf8.encode(json) }
    })
    deleteAll(
      broadcastsOf(doc),
      oldest.map(({ index }) => index),
    )
    metaOf(doc).set('archivedBroadcasts', end + trimmed.length)
    return trimmed
  })
}

export const readArchived = (value: Uint8Array): Archived =>
  readArchivedJson(new TextDecoder().decode(value))

export const readArchivedJson = (json: string): Archived => {
  const { client, clock, at, entry } = JSON.parse(json) as Archived
  return { client, clock, at, entry: isBroadcast(entry) ? entry : null }
}

/** Filters of the log; an absent field filters nothing. */
export interface LogFilter {
  topic?: string | undefined
  from?: string | undefined
  /** The reader: direct messages are for their sender and their addressee only. */
  for?: string | undefined
  /** Sent at or after: milliseconds since the epoch, by the sender's clock. */
  at?: number | undefined
}

export const inLog = (entry: BroadcastEntry, filter: LogFilter): boolean =>
  (filter.topic === undefined || entry.topic === filter.topic) &&
  (filter.from === undefined || entry.from === filter.from) &&
  (filter.at === undefined || entry.at >= filter.at) &&
  (entry.to === undefined || entry.to === filter.for || entry.from === filter.for)

/**
 * A page of the live part of the log, from `since` or the newest. Throws `usage`,
 * `unknown_message`.
 */
export const readLiveLog = (
  doc: Y.Doc,
  filter: LogFilter,
  sinceText: string | undefined,
  limit: number,
  now: number,
): { entries: BroadcastEntry[]; more: boolean; next: string | null } => {
  const since = sinceText === undefined ? null : parseSince(sinceText, now)
  let live = liveBroadcasts(doc, now)
  if (since?.after !== undefined) {
    const index = live.findIndex(({ id }) => id === since.after)
    if (index < 0) {
      throw new ClawError(
        'unknown_message',
        `no message "${since.after.slice(0, 80)}" in the local copy of the log${otherKind(since.after, 'm')}`,
        'give an id that the log shows, or a time such as 2h',
      )
    }
    live = live.slice(index + 1)
  }
  const found = live.filter((entry) => inLog(entry, { ...filter, at: since?.at }))
  const entries = since === null ? found.slice(-limit) : found.slice(0, limit)
  return { entries, more: found.length > entries.length, next: entries.at(-1)?.id ?? null }
}

/** The start of a page: a time, an entry, or an entry and a time that leaves out older ones. */
export interface Since {
  at?: number
  after?: string
}

const parseTime = (text: string, now: number): number => {
  const age = parseSpan(text)
  return age === null ? parseIso(text) : now - age
}

/** Reads `m-…`, an ISO time, an age such as 2h, or `<ISO time>,m-…` as `sinceText` writes it. Throws `usage`. */
export const parseSince = (text: string, now: number): Since => {
  const [, before, after] = /^(?:([^,]*),)?(m-.*)$/.exec(text) ?? [text, text]
  if (before === undefined) return { after: after! }
  const at = parseTime(before, now)
  if (Number.isFinite(at)) return after === undefined ? { at } : { at, after }
  throw new ClawError(
    'usage',
    `since: "${text.slice(0, 80)}" is neither a time nor a message id`,
    'for example 2h, 30m, 7d, 2026-01-31T12:00:00Z, or m-0123456789ab',
  )
}

export const sinceText = ({ at, after }: Since): string =>
  [at === undefined ? [] : isoTime(at), after ?? []].flat().join(',')
