import * as Y from 'yjs'
import { BLOBS_PREFIX, EDITS_PREFIX } from '../../workspace/schema.ts'
import { CLOSE, WireError } from '../wire.ts'

/**
 * Where in the document something stands, as far as it matters for whose words it may be. `free`: anybody's, such as the
 * text of a file; `server`: the server's alone; `agent`: within the record of that agent.
 */
export type Place = (
  | { kind: 'free' | 'server' | 'agents' | 'broadcasts' | 'intake' | 'files' | 'edits' | 'blobs' }
  | { kind: 'agent'; id: string }
) & {
  /** Types around it, within its root; left out: none. */
  depth?: number
}

/**
 * Types within types (count). ClawLink's own are 3 deep; for each change Yjs tells all that are around it, and goes down
 * all that are in what is deleted: thousands stop it for seconds.
 */
const MAX_DEPTH = 64

export const FREE: Place = { kind: 'free' }
const SERVER: Place = { kind: 'server' }
const ROOTS: ReadonlyMap<string, Place> = new Map<string, Place>([
  ['tasks', SERVER],
  ['meta', SERVER],
  ['receipts', SERVER],
  ['agents', { kind: 'agents' }],
  ['broadcasts', { kind: 'broadcasts' }],
  ['intake', { kind: 'intake' }],
  ['files', { kind: 'files' }],
])
const EDITS: Place = { kind: 'edits' }
const BLOBS: Place = { kind: 'blobs' }

/** The place of what stands in a root type. */
export const placeOfRoot = (name: string): Place => {
  const known = ROOTS.get(name)
  if (known !== undefined) return known
  if (name.startsWith(EDITS_PREFIX)) return EDITS
  return name.startsWith(BLOBS_PREFIX) ? BLOBS : FREE
}

/** The place of what stands within a type that stands at `key` of `place`. Throws where that is too deep. */
export const placeWithin = (place: Place, key: string | null): Place => {
  const depth = (place.depth ?? 0) + 1
  if (depth > MAX_DEPTH) throw new WireError(CLOSE.malformed, 'types are nested too deep')
  if (place.kind === 'agents') return { kind: 'agent', id: key ?? '', depth }
  return place.kind === 'server' || place.kind === 'agent'
    ? { ...place, depth }
    : { kind: 'free', depth }
}

/** The places of a document's types, each found once. */
export class Places {
  readonly #doc: Y.Doc
  readonly #known = new WeakMap<object, Place>()

  constructor(doc: Y.Doc) {
    this.#doc = doc
  }

  /** The place of what stands in this type. */
  of(type: Y.AbstractType<unknown>): Place {
    const known = this.#known.get(type)
    if (known !== undefined) return known
    const place = this.#find(type)
    this.#known.set(type, place)
    return place
  }

  /** Whether two are the same type; a type is told by its root's name, the id of the item that it is, or itself. */
  isSame(a: string | Y.ID | Y.AbstractType<unknown> | null, b: typeof a): boolean {
    const [one, other] = [this.#name(a), this.#name(b)]
    return one instanceof Y.ID && other instanceof Y.ID ? Y.compareIDs(one, other) : one === other
  }

  #name(type: string | Y.ID | Y.AbstractType<unknown> | null): string | Y.ID | null {
    if (!(type instanceof Y.AbstractType)) return type
    return type._item?.id ?? rootName(this.#doc, type)
  }

  #find(type: Y.AbstractType<unknown>): Place {
    const item = type._item
    if (item === null) return placeOfRoot(rootName(this.#doc, type))
    const { parent, parentSub } = item
    return parent instanceof Y.AbstractType ? placeWithin(this.of(parent), parentSub) : FREE
  }

  /** What was put last under each key of a root type, also where that was deleted. */
  keysOf(root: string): Iterable<[string, Y.Item]> {
    return this.#doc.share.get(root)?._map ?? []
  }

  /** The struct with this id. It must be there. */
  at({ client, clock }: Y.ID): Y.Item | Y.GC {
    return Y.getItem(this.#doc.store, Y.createID(client, clock)) as Y.Item | Y.GC
  }

  /** The structs of a client from `clock` on that begin before `end`. */
  *range(client: number, clock: number, end: number): Generator<Y.Item | Y.GC> {
    const structs = this.#doc.store.clients.get(client)
    const last = structs?.at(-1)
    if (structs === undefined || last === undefined || clock >= last.id.clock + last.length) return
    for (let i = Y.findIndexSS(structs, clock); i < structs.length; i++) {
      const struct = structs[i] as Y.Item | Y.GC
      if (struct.id.clock >= end) return
      yield struct
    }
  }
}

const rootName = (doc: Y.Doc, type: Y.AbstractType<unknown>): string => {
  for (const [name, root] of doc.share) if ((root as unknown) === type) return name
  return ''
}
