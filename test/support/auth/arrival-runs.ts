import * as encoding from 'lib0/encoding'
import * as Y from 'yjs'
import { CLOSE, WireError } from '../../../protocol/frames.ts'
import { type Arrivals, addTo, arrivalsOf } from '../../../sync-server/auth/ownership/arrivals.ts'
import { checkUpdate } from '../../../sync-server/sync/updates/check.ts'
import { applyAll } from '../../../sync-server/sync/updates/document.ts'
import {
  placeOfRoot,
  placeWithin,
  type TypePlace,
  TypePlaces,
} from '../../../workspace/document/places.ts'
import { seeded } from '../client.ts'

/**
 * Random documents that several clients make, and one who builds operations by hand; what `arrivals` says of each struct before
 * it is applied is compared with where it stands in the document afterwards.
 */

const STEPS = 80
const KEYS = ['a', 'b', 'paused']
const ROOTS: [string, 'map' | 'array' | 'text'][] = [
  ...(['agents', 'files', 'tasks', 'meta', 'edits:x', 'blobs:x', 'other'] as const).map(
    (name): [string, 'map'] => [name, 'map'],
  ),
  ['broadcasts', 'array'],
  ['intake', 'array'],
  ['file:x', 'text'],
]

type Spot = [place: string, key: string | null]
const spotOf = (place: TypePlace, key: string | null): Spot => [
  `${place.kind} ${place.under ?? ''} ${place.depth}`,
  key,
]

/** Where everything in the document stands: told from the roots down. Throws where something stands in two places. */
const standing = (doc: Y.Doc): Map<Y.Item, Spot> => {
  const found = new Map<Y.Item, Spot>()
  const add = (
    type: Y.AbstractType<unknown>,
    item: Y.Item,
    place: TypePlace,
    key: string | null,
  ) => {
    const where = JSON.stringify(item.id)
    if (found.has(item) || (item.parent as unknown) !== type || item.parentSub !== key) {
      throw new Error(`${where} is in a list that is not its parent’s`)
    }
    found.set(item, spotOf(place, key))
    if (item.content instanceof Y.ContentType) walk(item.content.type, placeWithin(place, key))
  }
  const walk = (type: Y.AbstractType<unknown>, place: TypePlace): void => {
    for (let item = type._start; item !== null; item = item.right) add(type, item, place, null)
    for (const [key, last] of type._map) {
      for (let item: Y.Item | null = last; item !== null; item = item.left)
        add(type, item, place, key)
    }
  }
  for (const [name, root] of doc.share) walk(root as Y.AbstractType<unknown>, placeOfRoot(name))
  return found
}

export interface Outcome {
  compared: number
  /** Structs that Yjs collected at once: they stand nowhere. */
  collected: number
  refused: number
  /** Batches that Yjs could not apply. */
  broken: number
}

/** Throws, with the seed, where something stands elsewhere than `arrivals` said. */
export const runArrivals = (seed: number): Outcome => {
  const random = seeded(seed)
  const below = (n: number): number => Math.floor(random() * n)
  const pick = <T>(from: readonly T[]): T => from[below(from.length)]!
  const outcome: Outcome = { compared: 0, collected: 0, refused: 0, broken: 0 }

  // Collected or not: what is deleted can be told apart only where it is kept.
  const gc = below(2) === 0
  let server = new Y.Doc({ gc })
  let clocks = new Map<number, number>()
  const stored: Uint8Array[] = []
  let batch: Uint8Array[] = []
  let waiting: Arrivals = new Map()
  const sent: Uint8Array[] = []

  const takeIn = (update: Uint8Array, isHonest: boolean): void => {
    const places = new TypePlaces(server)
    try {
      const verdict = checkUpdate(update, clocks, (decoded, known) => {
        addTo(waiting, arrivalsOf(decoded, known, waiting, places))
        return true
      })
      if (verdict === 'ready') batch.push(update)
    } catch (error) {
      const isEarly = error instanceof WireError && error.code === CLOSE.gap
      if (isHonest && !isEarly) throw error
      outcome.refused++
    }
  }

  const apply = (): void => {
    if (applyAll(server, batch)) {
      stored.push(...batch)
      compare()
    } else {
      outcome.broken++
      server = new Y.Doc({ gc })
      if (!applyAll(server, stored)) throw new Error('what is stored cannot be applied')
      clocks = Y.decodeStateVector(Y.encodeStateVector(server))
    }
    batch = []
    waiting = new Map()
  }

  const compare = (): void => {
    const where = standing(server)
    const places = new TypePlaces(server)
    for (const [client, list] of waiting) {
      for (const { struct, clock, spot } of list) {
        for (const item of places.range(client, clock, struct.id.clock + struct.length)) {
          if (!(item instanceof Y.Item)) {
            outcome.collected++
            continue
          }
          outcome.compared++
          const real = where.get(item) ?? ['nowhere', null]
          const said = spotOf(spot.place, spot.key)
          if (said.join() === real.join()) continue
          throw new Error(`${JSON.stringify(item.id)} said: ${said}, really: ${real}`)
        }
      }
    }
  }

  const clients = Array.from({ length: 3 }, (_, i) => {
    const doc = new Y.Doc()
    doc.clientID = 10 + i
    const updates: Uint8Array[] = []
    const states = [Y.encodeStateVector(doc)]
    doc.on('update', (update: Uint8Array, origin: unknown) => {
      if (origin === null) updates.push(update)
    })
    return { doc, updates, states }
  })

  const value = (): unknown => {
    switch (below(5)) {
      case 0:
        return new Y.Map([[pick(KEYS), below(9)]])
      case 1:
        return Y.Array.from([below(9)])
      case 2:
        return new Y.Text('text')
      case 3:
        return { from: 'a' }
      default:
        return below(9)
    }
  }
  const change = (doc: Y.Doc): void => {
    const [name, kind] = pick(ROOTS)
    const { [kind]: root } = {
      map: doc.getMap(kind === 'map' ? name : 'other'),
      array: doc.getArray(kind === 'array' ? name : 'intake'),
      text: doc.getText(kind === 'text' ? name : 'file:x'),
    }
    let type: unknown = root
    while (random() < 0.7) {
      const values: unknown[] =
        type instanceof Y.Map ? [...type.values()] : type instanceof Y.Array ? type.toArray() : []
      const inner = values.filter((one) => one instanceof Y.AbstractType)
      if (inner.length === 0) break
      type = pick(inner)
    }
    if (type instanceof Y.Map) {
      if (random() < 0.2) type.delete(pick(KEYS))
      else type.set(pick(KEYS), value())
    } else if (type instanceof Y.Text) {
      const at = below(type.length + 1)
      if (random() < 0.3) type.delete(at, below(type.length - at + 1))
      else if (random() < 0.2) type.format(at, below(type.length - at + 1), { bold: true })
      else type.insert(at, 'abc')
    } else if (type instanceof Y.Array) {
      const at = below(type.length + 1)
      if (random() < 0.3) type.delete(at, below(type.length - at + 1))
      else type.insert(at, [value(), value()])
    }
  }

  /** Some of what a client has, as it may come: cut anywhere, joined, again. */
  const some = ({ doc, updates, states }: (typeof clients)[number]): Uint8Array => {
    switch (below(5)) {
      case 0:
        return Y.encodeStateAsUpdate(doc)
      case 1:
        return Y.encodeStateAsUpdate(doc, Y.encodeStateVector(server))
      case 2:
        return Y.encodeStateAsUpdate(doc, pick(states))
      case 3:
        if (sent.length > 0) return pick(sent)
        return Y.encodeStateAsUpdate(doc)
      default: {
        const own = updates.splice(0, 1 + below(updates.length))
        return own.length > 0 ? Y.mergeUpdates(own) : Y.encodeStateAsUpdate(doc)
      }
    }
  }

  /** Structs that no Yjs wrote: with any neighbours, within anything, and of which a part is known already. */
  const built = (): Uint8Array => {
    const ids = [...clocks].map(([client, length]) => Y.createID(client, below(length)))
    const sections: [number, (Y.Item | Y.GC)[]][] = []
    for (let n = 1 + below(2); n > 0; n--) {
      const client = 90 + below(4)
      const known = clocks.get(client) ?? 0
      let clock = Math.max(0, known - below(3))
      const structs: (Y.Item | Y.GC)[] = []
      for (let m = 1 + below(3); m > 0; m--) {
        // Also on itself, and on what only comes after it.
        if (random() < 0.1) ids.push(Y.createID(90 + below(4), clock + below(2)))
        const struct = item(Y.createID(client, clock), ids)
        structs.push(struct)
        clock += struct.length
        ids.push(Y.createID(client, clock - 1))
      }
      sections.push([client, structs])
    }
    return encode(sections)
  }
  const item = (id: Y.ID, ids: readonly Y.ID[]): Y.Item | Y.GC => {
    if (random() < 0.05) return new Y.GC(id, 1 + below(3))
    const content = pick([
      () => new Y.ContentAny(Array.from({ length: 1 + below(4) }, () => ({ from: 'v' }))),
      () => new Y.ContentString('abcd'.slice(below(4))),
      () => new Y.ContentType(new Y.Map() as never),
      () => new Y.ContentType(new Y.Array() as never),
      () => new Y.ContentDeleted(1 + below(3)),
    ])()
    const neighbour = (chance: number) => (ids.length > 0 && random() < chance ? pick(ids) : null)
    const [left, right] = [neighbour(0.5), neighbour(0.3)]
    const parent = neighbour(0.4) ?? pick(ROOTS)[0]
    const key = random() < 0.5 ? pick(KEYS) : null
    return new Y.Item(id, null, left, null, right, parent as never, key, content)
  }

  try {
    for (let step = 0; step < STEPS; step++) {
      const one = pick(clients)
      const what = random()
      if (what < 0.6) {
        change(one.doc)
        if (random() < 0.3) one.states.push(Y.encodeStateVector(one.doc))
      } else if (what < 0.75) {
        const from = random() < 0.4 ? server : pick(clients).doc
        Y.applyUpdate(one.doc, Y.encodeStateAsUpdate(from, Y.encodeStateVector(one.doc)), 'other')
      } else {
        for (let n = 1 + below(4); n > 0; n--) {
          if (random() < 0.3) {
            takeIn(built(), false)
          } else {
            const update = some(one)
            sent.push(update)
            takeIn(update, true)
          }
        }
        apply()
      }
    }
    if (!applyAll(new Y.Doc(), stored)) throw new Error('what is stored cannot be applied')
  } catch (error) {
    throw new Error(`SEED=${seed}: ${(error as Error).message}`, { cause: error })
  }
  return outcome
}

/** An update of these structs, which are a client's each. */
export const encode = (sections: readonly [number, (Y.Item | Y.GC)[]][]): Uint8Array => {
  const to = new Y.UpdateEncoderV1()
  encoding.writeVarUint(to.restEncoder, sections.length)
  for (const [client, structs] of sections) {
    encoding.writeVarUint(to.restEncoder, structs.length)
    to.writeClient(client)
    encoding.writeVarUint(to.restEncoder, structs[0]!.id.clock)
    for (const struct of structs) struct.write(to, 0)
  }
  encoding.writeVarUint(to.restEncoder, 0)
  return to.toUint8Array()
}
