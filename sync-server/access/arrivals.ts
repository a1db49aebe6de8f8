import * as Y from 'yjs'
import { FREE, type Place, type Places, placeOfRoot, placeWithin } from './places.ts'

/** A struct that is not in the document yet, and where it will stand; `place` null: not found yet. */
export interface Arrival {
  struct: Y.Item | Y.GC
  place: Place | null
  key: string | null
}

/** By Yjs client id, in the order of their clocks. */
export type Arrivals = Map<number, Arrival[]>

const find = (arrivals: Arrivals, { client, clock }: Y.ID): Arrival | null => {
  const list = arrivals.get(client)
  if (list === undefined) return null
  let [low, high] = [0, list.length - 1]
  while (low <= high) {
    const middle = (low + high) >> 1
    const { id, length } = list[middle]!.struct
    if (clock < id.clock) high = middle - 1
    else if (clock >= id.clock + length) low = middle + 1
    else return list[middle]!
  }
  return null
}

/**
 * Finds where an arrival will stand, as Yjs will: an update names the parent only where there is no neighbour. What a
 * neighbour was collected of is collected, too, and so it is free. `waiting`: let in before, and not in the document yet.
 */
export const resolve = (
  arrival: Arrival,
  mine: Arrivals,
  waiting: Arrivals,
  places: Places,
): Place => {
  const chain: Arrival[] = []
  let at: Arrival | null = arrival
  let [place, key]: [Place, string | null] = [FREE, null]
  while (at !== null) {
    if (at.place !== null) {
      ;[place, key] = [at.place, at.key]
      break
    }
    chain.push(at)
    const { struct }: Arrival = at
    if (!(struct instanceof Y.Item)) break
    const parent: unknown = struct.parent
    if (typeof parent === 'string') {
      ;[place, key] = [placeOfRoot(parent), struct.parentSub]
      break
    }
    if (parent instanceof Y.ID) {
      ;[place, key] = [within(parent, mine, waiting, places), struct.parentSub]
      break
    }
    const beside: Y.ID | null = struct.origin ?? struct.rightOrigin
    if (beside === null) break
    at = find(mine, beside) ?? find(waiting, beside)
    if (at !== null) continue
    const known = places.at(beside)
    if (known instanceof Y.Item && known.parent instanceof Y.AbstractType) {
      ;[place, key] = [places.of(known.parent), known.parentSub]
    }
  }
  for (const one of chain) {
    one.place = place
    one.key = key
  }
  return place
}

/** The place of what stands within the type that the struct with this id is. */
const within = (id: Y.ID, mine: Arrivals, waiting: Arrivals, places: Places): Place => {
  const arrival = find(mine, id) ?? find(waiting, id)
  if (arrival !== null) {
    const place = resolve(arrival, mine, waiting, places)
    return placeWithin(place, arrival.key)
  }
  const known = places.at(id)
  const content: unknown = known instanceof Y.Item ? known.content : null
  return content instanceof Y.ContentType ? places.of(content.type) : FREE
}
