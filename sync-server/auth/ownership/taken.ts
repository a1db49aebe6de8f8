import * as Y from 'yjs'
import { LazyMap, LazySet } from '../../../lib/lazy.ts'
import type { TypePlaces } from '../../../workspace/document/places.ts'
import { submissionsOf } from '../../../workspace/document/schema.ts'
import { taskRecord } from '../../../workspace/document/shape.ts'
import { findBroadcasts, someBroadcasts } from '../../../workspace/messages/live-log.ts'
import type { Arrivals } from './arrivals.ts'
import { invalid, saidIn } from './authorship.ts'

/** More new messages than this in one update are compared with a set of the live ones (count). */
const FEW = 8

/** New ids and counts in an update: ids of messages and tasks; edit counts by root and key. */
interface New {
  broadcasts: string[]
  intake: string[]
  counts: Map<string, number>
}

/**
 * Ids of messages and tasks, which are unique, and edit counts, which only grow. Includes updates that were admitted
 * and are not applied yet.
 */
export class Taken {
  readonly #places: TypePlaces
  readonly #ids = new LazySet<string>()
  readonly #counts = new LazyMap<string, number>()

  constructor(places: TypePlaces) {
    this.#places = places
  }

  applied(): void {
    this.#ids.clear()
    this.#counts.clear()
  }

  /** Checks the new operations in an update. Throws WireError `invalid` where an id is taken, or a count goes back. */
  check(arrivals: Arrivals): void {
    let fresh: New | null = null
    for (const list of arrivals.values()) {
      for (const { struct, clock, spot } of list) {
        const { kind, root } = spot.place
        if (!(struct instanceof Y.Item)) continue
        if (kind === 'broadcasts' || kind === 'intake') {
          fresh ??= nothing()
          for (const { id, facts } of newIn(struct, clock)) {
            const isId = typeof id === 'string' && (kind === 'broadcasts' || facts !== undefined)
            if (isId) fresh[kind].push(id)
          }
        } else if (kind === 'edits' && spot.key !== null) {
          fresh ??= nothing()
          this.#count(root, spot.key, struct, clock, fresh)
        }
      }
    }
    if (fresh === null) return
    this.#checkIds(fresh)
    for (const id of [...fresh.broadcasts, ...fresh.intake]) this.#ids.add(id)
    for (const [name, count] of fresh.counts) this.#counts.set(name, count)
  }

  #checkIds({ broadcasts, intake }: New): void {
    const all = [...broadcasts, ...intake]
    if (all.length === 0) return
    const { doc } = this.#places
    const live =
      broadcasts.length > FEW
        ? new Set<string>(Array.from(someBroadcasts(doc), ({ id }) => id))
        : null
    const isTaken = (id: string): boolean =>
      this.#ids.has(id) || (live?.has(id) ?? findBroadcasts(doc, id).length > 0)
    const taken =
      broadcasts.find(isTaken) ??
      intake.find((id) => this.#ids.has(id) || this.#isTask(id)) ??
      (new Set(all).size < all.length ? all.find((id, i) => all.indexOf(id) < i) : undefined)
    if (taken !== undefined) throw invalid(`the id ${taken} is taken`)
  }

  #isTask(id: string): boolean {
    const { doc } = this.#places
    if (taskRecord(doc, id) !== undefined) return true
    return submissionsOf(doc)
      .toArray()
      .some((entry) => entry?.kind === 'task' && entry.id === id)
  }

  /** Each count is that of a client's own operations, of which setting it is one: it grows, and no faster than they do. */
  #count(root: string, key: string, item: Y.Item, clock: number, { counts }: New): void {
    const name = `${root}\0${key}`
    const last = this.#places.last(root, key)
    const stored = last === undefined ? 0 : countIn(last)
    let known = counts.get(name) ?? this.#counts.get(name) ?? stored
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

const nothing = (): New => ({ broadcasts: [], intake: [], counts: new Map() })

/** The plain objects of an item from `clock` on: those before are known. */
const newIn = (item: Y.Item, clock: number): ReturnType<typeof saidIn> =>
  saidIn(item).slice(clock - item.id.clock)

const countIn = (item: Y.Item): number => {
  const count = saidIn(item).at(-1)?.count
  return typeof count === 'number' ? count : 0
}
