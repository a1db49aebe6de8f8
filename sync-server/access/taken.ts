import * as Y from 'yjs'
import type { Places } from '../../workspace/grammar/places.ts'
import { findBroadcasts, someBroadcasts } from '../../workspace/live-log.ts'
import { intakeOf } from '../../workspace/schema.ts'
import { taskRecord } from '../../workspace/shape.ts'
import type { Arrivals } from './arrivals.ts'
import { invalid, saidIn } from './authorship.ts'

/** More new messages than this in one update are compared with a set of the live ones (count). */
const FEW = 8

interface New {
  ids: Set<string>
  /** Edit counts, by root and key. */
  counts: Map<string, number>
}

/**
 * What is there once, and what only grows: ids of messages and tasks, and counts of edits. Updates that were admitted and
 * are not applied yet count, too.
 */
export class Taken {
  readonly #places: Places
  #waiting = nothing()

  constructor(places: Places) {
    this.#places = places
  }

  applied(): void {
    if (this.#waiting.ids.size + this.#waiting.counts.size > 0) this.#waiting = nothing()
  }

  /** Looks at what is new in an update. Throws WireError `invalid` where an id is taken, or a count goes back. */
  check(arrivals: Arrivals): void {
    const fresh = nothing()
    let live: ReadonlySet<string> | null = null
    const messages = idsIn(arrivals, 'broadcasts')
    if (messages.length > FEW) {
      live = new Set(Array.from(someBroadcasts(this.#places.doc), ({ id }) => id))
    }
    for (const id of messages) {
      const isLive = live?.has(id) ?? findBroadcasts(this.#places.doc, id).length > 0
      this.#take(id, isLive, fresh)
    }
    for (const id of idsIn(arrivals, 'intake')) this.#take(id, this.#isTask(id), fresh)
    for (const list of arrivals.values()) {
      for (const { struct, clock, spot } of list) {
        const { kind, root } = spot.place
        if (kind !== 'edits' || spot.key === null || !(struct instanceof Y.Item)) continue
        this.#count(root, spot.key, struct, clock, fresh)
      }
    }
    for (const id of fresh.ids) this.#waiting.ids.add(id)
    for (const [name, count] of fresh.counts) this.#waiting.counts.set(name, count)
  }

  #isTask(id: string): boolean {
    const { doc } = this.#places
    if (taskRecord(doc, id) !== undefined) return true
    return intakeOf(doc)
      .toArray()
      .some((entry) => entry?.kind === 'task' && entry.id === id)
  }

  #take(id: string, isLive: boolean, { ids }: New): void {
    if (isLive || ids.has(id) || this.#waiting.ids.has(id)) throw invalid(`the id ${id} is taken`)
    ids.add(id)
  }

  /** Each count is that of a client's own operations, of which setting it is one: it grows, and no faster than they do. */
  #count(root: string, key: string, item: Y.Item, clock: number, { counts }: New): void {
    const name = `${root}\0${key}`
    const last = this.#places.last(root, key)
    const stored = last === undefined ? 0 : countIn(last)
    let known = counts.get(name) ?? this.#waiting.counts.get(name) ?? stored
    for (const [i, { count }] of newIn(item, clock).entries()) {
      if (typeof count !== 'number') continue
      if (count < known) {
        throw invalid(`${root} / ${key}: the count goes back from ${known} to ${count}`)
      }
      if (count > clock + i + 1) {
        throw invalid(`${root} / ${key}: the count ${count} is more than this client has written`)
      }
      known = count
    }
    counts.set(name, known)
  }
}

const nothing = (): New => ({ ids: new Set(), counts: new Map() })

const idsIn = (arrivals: Arrivals, kind: 'broadcasts' | 'intake'): string[] => {
  const ids: string[] = []
  for (const list of arrivals.values()) {
    for (const { struct, clock, spot } of list) {
      if (spot.place.kind !== kind || !(struct instanceof Y.Item)) continue
      for (const { id, facts } of newIn(struct, clock)) {
        if (typeof id === 'string' && (kind === 'broadcasts' || facts !== undefined)) ids.push(id)
      }
    }
  }
  return ids
}

/** The plain objects of an item from `clock` on: those before are known. */
const newIn = (item: Y.Item, clock: number): ReturnType<typeof saidIn> =>
  saidIn(item).slice(clock - item.id.clock)

const countIn = (item: Y.Item): number => {
  const count = saidIn(item).at(-1)?.count
  return typeof count === 'number' ? count : 0
}
