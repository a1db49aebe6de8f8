import type * as Y from 'yjs'
import { firstItem, isElement, itemAfter, valuesIn } from '../../lib/yjs/internals.ts'
import { MAX_AHEAD_MS } from '../../protocol/limits.ts'
import { broadcastRecord } from '../document/records.ts'
import { appendInRow, type Element, elementsOf } from '../document/rows.ts'
import { type BroadcastEntry, broadcastsOf } from '../document/schema.ts'
import { isBroadcast } from '../document/shape.ts'
import { must } from '../document/values.ts'

/**
 * The live part of the log, in the order of its times. The time of an entry follows all entries
 * that its writer had seen, so an answer stands after its question whatever the clocks say. Entries
 * of one time stand in the order of their client ids, entries of one writer as written. Malformed
 * entries stand first, and so do entries from further ahead than clocks differ, which would stand
 * last for ever.
 *
 * The index in the array is chosen for Yjs: rows.ts.
 */

/** The time of an element in the order of the log: milliseconds since the epoch. */
const timeOf = (value: unknown): number => {
  if (typeof value !== 'object' || value === null) return -Infinity
  const { at, order = at } = value as { at?: unknown; order?: unknown }
  if (typeof order !== 'number') return -Infinity
  return Number.isFinite(order) ? order : 0
}

/**
 * All live elements in the order of the log; `now`: milliseconds since the epoch by the clock of
 * the reader.
 */
export const inLogOrder = (doc: Y.Doc, now: number): Element[] => {
  const elements = Array.from(elementsOf(broadcastsOf(doc)), (element) => {
    const time = timeOf(element.value)
    return { element, time: time > now + MAX_AHEAD_MS ? -Infinity : time }
  })
  elements.sort((a, b) => {
    if (a.time !== b.time) return a.time < b.time ? -1 : 1
    return a.element.client - b.element.client || a.element.clock - b.element.clock
  })
  return elements.map(({ element }) => element)
}

/** The live broadcasts in the order of the log. */
export const liveBroadcasts = (doc: Y.Doc, now: number): BroadcastEntry[] =>
  inLogOrder(doc, now)
    .map(({ value }) => value)
    .filter(isBroadcast)

/** The live broadcasts, newest first. */
export const newestBroadcasts = function* (doc: Y.Doc, now: number): Generator<BroadcastEntry> {
  for (const { value } of inLogOrder(doc, now).reverse()) if (isBroadcast(value)) yield value
}

/** The live broadcasts in no order. */
export const someBroadcasts = function* (doc: Y.Doc): Generator<BroadcastEntry> {
  for (const { value } of elementsOf(broadcastsOf(doc))) if (isBroadcast(value)) yield value
}

/**
 * The live entries with this id: one, except where an agent took the id of another before the
 * server rejected that.
 */
export const findBroadcasts = (doc: Y.Doc, id: string): BroadcastEntry[] => {
  const found: BroadcastEntry[] = []
  for (const { value } of elementsOf(broadcastsOf(doc))) {
    if ((value as { id?: unknown } | null)?.id === id && isBroadcast(value)) found.push(value)
  }
  return found
}

/**
 * Appends an entry and returns it as it stands in the log; `said.at` is now. Throws `invalid`. The
 * cost grows with the writers of the log, not with its entries.
 */
export const appendBroadcast = (doc: Y.Doc, said: BroadcastEntry): BroadcastEntry => {
  const newest = newestTime(doc, said.at + MAX_AHEAD_MS)
  const entry = newest < said.at ? said : { ...said, order: newest + 1 }
  must(broadcastRecord, entry, 'the message')
  appendInRow(doc, broadcastsOf(doc), entry)
  return entry
}

/** The newest time in the log that is not after `latest`. */
const newestTime = (doc: Y.Doc, latest: number): number => {
  let newest = -Infinity
  for (let item = firstItem(broadcastsOf(doc)); item !== null; item = itemAfter(item)) {
    if (!isElement(item)) continue
    // The elements of one item have one writer, and its last one is its newest.
    const time = timeOf(valuesIn(item).at(-1))
    if (time <= latest && time > newest) newest = time
  }
  return newest
}
