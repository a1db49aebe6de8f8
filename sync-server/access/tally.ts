import * as Y from 'yjs'
import { rootKind } from '../../workspace/grammar/grammar.ts'
import type { Places } from '../../workspace/grammar/places.ts'
import {
  MAX_AGENT_ROOTS,
  MAX_EDIT_COUNTS,
  MAX_OTHER_ROOTS,
  MAX_SUBDOCUMENTS,
} from '../../workspace/limits.ts'
import { findBroadcast, someBroadcasts } from '../../workspace/live-log.ts'
import { EDITS_PREFIX, intakeOf } from '../../workspace/schema.ts'
import { taskRecord } from '../../workspace/shape.ts'
import { CLOSE, WireError } from '../wire.ts'
import type { Arrival, Arrivals } from './arrivals.ts'
import { saidIn } from './authorship.ts'

export const invalid = (what: string): WireError => new WireError(CLOSE.invalid, what)
const full = (what: string): WireError => new WireError(CLOSE.full, what)

/** More new messages than this in one update are compared with a set of the live ones (count). */
const FEW = 8

/** What one update adds to what is counted. */
interface Added {
  ids: Set<string>
  counts: Map<string, number>
  roots: Set<string>
  otherRoots: number
  subdocuments: number
  editKeys: number
}

/**
 * What can only be told from the document as a whole: ids that are taken, counts that only grow, how much of something
 * there is. Updates that were admitted and are not applied yet count, too.
 */
export class Tally {
  readonly #places: Places
  readonly #ownerOf: (client: number) => string | undefined
  #waiting = nothing()
  /** Roots that exist, by the agent that was the first to write in them; null: not counted yet. */
  #roots: Map<string, number> | null = null
  #otherRoots = 0
  #editKeys: Map<string, number> | null = null

  constructor(places: Places, ownerOf: (client: number) => string | undefined) {
    this.#places = places
    this.#ownerOf = ownerOf
  }

  applied(): void {
    if (this.#waiting.ids.size + this.#waiting.counts.size + this.#waiting.roots.size === 0) return
    this.#waiting = nothing()
  }

  /** Looks at what is new in an update of `agent`. Throws WireError `invalid`, `full`. */
  check(agent: string, arrivals: Arrivals): void {
    const added = nothing()
    let live: ReadonlySet<string> | null = null
    const messages = this.#idsIn(arrivals, 'broadcasts')
    if (messages.length > FEW) {
      live = new Set(Array.from(someBroadcasts(this.#places.doc), ({ id }) => id))
    }
    for (const id of messages) {
      const isLive = live?.has(id) ?? findBroadcast(this.#places.doc, id) !== undefined
      this.#takeId(id, isLive, added)
    }
    for (const id of this.#idsIn(arrivals, 'intake')) this.#takeId(id, this.#isTask(id), added)
    for (const list of arrivals.values()) for (const one of list) this.#look(one, added)
    this.#keep(agent, added)
  }

  #idsIn(arrivals: Arrivals, kind: 'broadcasts' | 'intake'): string[] {
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

  #isTask(id: string): boolean {
    const { doc } = this.#places
    if (taskRecord(doc, id) !== undefined) return true
    return intakeOf(doc)
      .toArray()
      .some((entry) => entry?.kind === 'task' && entry.id === id)
  }

  #takeId(id: string, isLive: boolean, added: Added): void {
    if (isLive || added.ids.has(id) || this.#waiting.ids.has(id)) {
      throw invalid(`the id ${id} is taken`)
    }
    added.ids.add(id)
  }

  #look({ struct, clock, spot }: Arrival, added: Added): void {
    if (!(struct instanceof Y.Item)) return
    if (struct.content instanceof Y.ContentDoc) added.subdocuments++
    if (spot.within === null || spot.place.depth > 0) return
    const { root, kind } = spot.place
    const isKnown = this.#places.doc.share.has(root) || this.#waiting.roots.has(root)
    if (!isKnown && !added.roots.has(root)) {
      added.roots.add(root)
      if (kind === 'other') added.otherRoots++
    }
    if (kind === 'edits' && spot.key !== null) this.#count(root, spot.key, struct, clock, added)
  }

  /** Each count is that of a client's own operations, of which setting it is one: it grows, and no faster than they do. */
  #count(root: string, key: string, item: Y.Item, clock: number, added: Added): void {
    const name = `${root}\0${key}`
    const last = this.#places.last(root, key)
    const waiting = added.counts.get(name) ?? this.#waiting.counts.get(name)
    if (last === undefined && waiting === undefined) added.editKeys++
    let known = waiting ?? (last === undefined ? 0 : countIn(last))
    for (const [i, { count }] of newIn(item, clock).entries()) {
      if (typeof count !== 'number') continue
      if (count < known)
        throw invalid(`${root} / ${key}: the count goes back from ${known} to ${count}`)
      if (count > clock + i + 1) {
        throw invalid(`${root} / ${key}: the count ${count} is more than this client has written`)
      }
      known = count
    }
    added.counts.set(name, known)
  }

  #keep(agent: string, added: Added): void {
    const { doc } = this.#places
    const waiting = this.#waiting
    if (added.roots.size > 0) {
      this.#roots ??= this.#countRoots()
      const mine = (this.#roots.get(agent) ?? 0) + added.roots.size
      if (mine > MAX_AGENT_ROOTS) {
        throw full(`an agent can make ${MAX_AGENT_ROOTS} roots in a workspace`)
      }
      if (this.#otherRoots + added.otherRoots > MAX_OTHER_ROOTS) {
        throw full(`a workspace has ${MAX_OTHER_ROOTS} roots of other programs at most`)
      }
      this.#roots.set(agent, mine)
      this.#otherRoots += added.otherRoots
    }
    if (doc.subdocs.size + waiting.subdocuments + added.subdocuments > MAX_SUBDOCUMENTS) {
      throw full(`a workspace has ${MAX_SUBDOCUMENTS} subdocuments at most`)
    }
    if (added.editKeys > 0) {
      this.#editKeys ??= this.#countEditKeys()
      const mine = (this.#editKeys.get(agent) ?? 0) + added.editKeys
      if (mine > MAX_EDIT_COUNTS) throw full(`an agent has ${MAX_EDIT_COUNTS} edit counts at most`)
      this.#editKeys.set(agent, mine)
    }
    for (const id of added.ids) waiting.ids.add(id)
    for (const [name, count] of added.counts) waiting.counts.set(name, count)
    for (const root of added.roots) waiting.roots.add(root)
    waiting.subdocuments += added.subdocuments
  }

  #countRoots(): Map<string, number> {
    const roots = new Map<string, number>()
    for (const [name, type] of this.#places.doc.share) {
      const { value: keyed } = type._map.values().next()
      const first = type._start ?? keyed
      const owner =
        first === undefined || first === null ? undefined : this.#ownerOf(first.id.client)
      if (owner !== undefined) roots.set(owner, (roots.get(owner) ?? 0) + 1)
      if (rootKind(name).kind === 'other') this.#otherRoots++
    }
    return roots
  }

  #countEditKeys(): Map<string, number> {
    const keys = new Map<string, number>()
    for (const name of this.#places.doc.share.keys()) {
      if (!name.startsWith(EDITS_PREFIX)) continue
      for (const [client] of this.#places.keysOf(name)) {
        const owner = this.#ownerOf(Number(client))
        if (owner !== undefined) keys.set(owner, (keys.get(owner) ?? 0) + 1)
      }
    }
    return keys
  }
}

const nothing = (): Added => ({
  ids: new Set(),
  counts: new Map(),
  roots: new Set(),
  otherRoots: 0,
  subdocuments: 0,
  editKeys: 0,
})

/** The plain objects of an item from `clock` on: those before are known. */
const newIn = (item: Y.Item, clock: number): ReturnType<typeof saidIn> =>
  saidIn(item).slice(clock - item.id.clock)

const countIn = (item: Y.Item): number => {
  const count = saidIn(item).at(-1)?.count
  return typeof count === 'number' ? count : 0
}
