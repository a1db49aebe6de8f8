import * as Y from 'yjs'
import { CLOSE, WireError } from '../../../protocol/frames.ts'
import {
  NO_PLACE,
  placeOfRoot,
  placeWithin,
  type TypePlace,
  type TypePlaces,
} from '../../../workspace/document/places.ts'
import type { Decoded } from '../../sync/updates/check.ts'

/** A location in the document. */
export interface Spot {
  /** The type: a root's name, the id of the item that it is, or itself; null: in none, Yjs collects it. */
  within: string | Y.ID | Y.AbstractType<unknown> | null
  key: string | null
  place: TypePlace
}

const NOWHERE: Spot = { within: null, key: null, place: NO_PLACE }
const NOT_FOUND: Spot = { ...NOWHERE }
/** The search for it is under way. */
const UNDER_WAY: Spot = { ...NOWHERE }

/** A struct that is not in the document yet, and where it will stand. */
export interface Arrival {
  struct: Y.Item | Y.GC
  /** The first of its operations that is not known. */
  clock: number
  spot: Spot
}

/** By Yjs client id, in the order of their clocks. */
export type Arrivals = Map<number, Arrival[]>

/**
 * The new structs of an update, each with its future location. `waiting`: admitted earlier, not yet in the document.
 * Throws on structs that Yjs never writes and that would corrupt the document's lists.
 */
export const arrivalsOf = (
  { structs, ds }: Decoded,
  clocks: ReadonlyMap<number, number>,
  waiting: Arrivals,
  places: TypePlaces,
): Arrivals => {
  const arrivals: Arrivals = new Map()
  let list: Arrival[] = []
  let client = -1
  let known = 0
  for (const struct of structs) {
    const { id, length } = struct
    if (id.client !== client) {
      client = id.client
      known = clocks.get(client) ?? 0
      list = []
    }
    if (id.clock + length <= known) continue
    if (list.length === 0) arrivals.set(client, list)
    const clock = Math.max(id.clock, known)
    list.push({ struct: struct as Y.Item | Y.GC, clock, spot: NOT_FOUND })
  }
  for (const list of arrivals.values()) {
    for (const arrival of list) {
      const { key } = resolve(arrival, arrivals, waiting, places)
      if (key !== null && arrival.struct.length > 1) checkKeyed(arrival.struct, ds)
    }
  }
  return arrivals
}

/** Adds what arrived after it. */
export const addTo = (arrivals: Arrivals, more: Arrivals): void => {
  for (const [client, list] of more) {
    const known = arrivals.get(client)
    if (known === undefined) arrivals.set(client, list)
    else for (const arrival of list) known.push(arrival)
  }
}

/** The index of the first that ends after `clock`. */
const indexAt = (list: readonly Arrival[], clock: number): number => {
  let [low, high] = [0, list.length]
  while (low < high) {
    const middle = (low + high) >> 1
    const { id, length } = list[middle]!.struct
    if (id.clock + length <= clock) low = middle + 1
    else high = middle
  }
  return low
}

const find = (arrivals: Arrivals, { client, clock }: Y.ID): Arrival | undefined => {
  const list = arrivals.get(client)
  const found = list?.[indexAt(list, clock)]
  return found !== undefined && found.clock <= clock ? found : undefined
}

/** Those of a client from `clock` on that begin before `end`. */
export function* arrivalsIn(
  arrivals: Arrivals,
  client: number,
  clock: number,
  end: number,
): Generator<Arrival> {
  const list = arrivals.get(client)
  if (list === undefined) return
  for (let i = indexAt(list, clock); i < list.length && list[i]!.clock < end; i++) yield list[i]!
}

/**
 * Finds the location that Yjs will give an arrival: an update names the parent only if the item has no neighbour. If
 * its neighbour was garbage-collected, Yjs collects it, too, and it is in no place.
 */
const resolve = (arrival: Arrival, mine: Arrivals, waiting: Arrivals, places: TypePlaces): Spot => {
  const chain: Arrival[] = []
  let spot = NOWHERE
  for (let at: Arrival | undefined = arrival; at !== undefined; ) {
    if (at.spot === UNDER_WAY) throw malformed('an operation builds on itself')
    if (at.spot !== NOT_FOUND) {
      spot = at.spot
      break
    }
    at.spot = UNDER_WAY
    chain.push(at)
    const { struct }: Arrival = at
    if (!(struct instanceof Y.Item)) break
    const { parent, parentSub: key } = struct as { parent: unknown; parentSub: string | null }
    if (typeof parent === 'string') {
      spot = { within: parent, key, place: placeOfRoot(parent) }
      break
    }
    if (parent instanceof Y.ID) {
      const place = placeIn(parent, mine, waiting, places)
      if (place !== null) spot = { within: parent, key, place }
      break
    }
    const beside: Y.ID | null = struct.origin ?? struct.rightOrigin
    if (beside === null) break
    at = find(mine, beside) ?? find(waiting, beside)
    if (at === undefined) spot = spotOf(places.at(beside), places)
  }
  for (const one of chain) {
    one.spot = spot
    checkStart(one, spot, waiting, places)
  }
  return spot
}

const spotOf = (struct: Y.Item | Y.GC, places: TypePlaces): Spot =>
  struct instanceof Y.Item && struct.parent instanceof Y.AbstractType
    ? { within: struct.parent, key: struct.parentSub, place: places.of(struct.parent) }
    : NOWHERE

/** The place of what stands within the type that the struct with this id is; null: it is none. */
const placeIn = (
  id: Y.ID,
  mine: Arrivals,
  waiting: Arrivals,
  places: TypePlaces,
): TypePlace | null => {
  const arrival = find(mine, id) ?? find(waiting, id)
  const struct = arrival?.struct ?? places.at(id)
  if (!(struct instanceof Y.Item && struct.content instanceof Y.ContentType)) return null
  if (arrival === undefined) return places.of(struct.content.type)
  const { within, place, key } = resolve(arrival, mine, waiting, places)
  return within === null ? null : placeWithin(place, key)
}

/**
 * An item that continues a known one but belongs elsewhere would be put into both places by Yjs. A continuation of a
 * collected item is impossible where all stored updates are applied before collection; a client that syncs first has
 * it collected, too.
 */
const checkStart = (
  { struct, clock }: Arrival,
  spot: Spot,
  waiting: Arrivals,
  places: TypePlaces,
) => {
  if (clock === struct.id.clock || !(struct instanceof Y.Item)) return
  const before = Y.createID(struct.id.client, clock - 1)
  const start = find(waiting, before)?.spot ?? spotOf(places.at(before), places)
  if (start.within === null) {
    throw new WireError(CLOSE.gap, 'an operation goes on with what is collected here')
  }
  if (start.key === spot.key && places.isSame(start.within, spot.within)) return
  throw malformed('an operation continues in another place than it began in')
}

/** A key has one value: of several that are there Yjs would delete the last one only, and fail when it collects the rest. */
const checkKeyed = (struct: Y.Item | Y.GC, ds: Decoded['ds']): void => {
  if (!(struct instanceof Y.Item) || struct.content instanceof Y.ContentDeleted) return
  const { length } = struct
  const { client, clock } = struct.id
  for (let i = 0; i < length; i++) {
    if (!Y.isDeleted(ds, Y.createID(client, clock + i))) throw malformed('a key has several values')
  }
}

const malformed = (what: string): WireError => new WireError(CLOSE.malformed, what)
