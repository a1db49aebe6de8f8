import * as Y from 'yjs'
import { itemOf, itemsByKey, type Struct, structAt, structsIn } from '../../lib/yjs/internals.ts'
import { MAX_TYPE_DEPTH } from '../../protocol/limits.ts'
import { type EntryRule, GRAMMAR, type RootKind, rootKind, type TypeRule } from './grammar.ts'

/** The position of a type in the document: its root and its rule. */
export interface TypePlace {
  readonly kind: RootKind
  /** Name of the root. */
  readonly root: string
  readonly rule: TypeRule
  /** The key of its root under which it stands; null: it is the root, or in a list. */
  readonly under: string | null
  /** Types around it, within its root (count). */
  readonly depth: number
  /** The fault of the root's name; null: it has none. */
  readonly nameProblem: string | null
}

const ANY: TypeRule = GRAMMAR.other.type
/** The rule of a type that the grammar does not know: it allows no entries. */
const CLOSED: TypeRule = { shape: 'map' }

/** The place of structs whose parent is deleted: Yjs collects them at once. */
export const NO_PLACE: TypePlace = {
  ...{ kind: 'other', root: '', rule: ANY, under: null, depth: 0, nameProblem: null },
}

export const entryAt = ({ fields, rest }: TypeRule, key: string | null): EntryRule | undefined =>
  key !== null && fields !== undefined && Object.hasOwn(fields, key) ? fields[key] : rest

/** The place of a root type's entries. */
export const placeOfRoot = (name: string): TypePlace => {
  const { kind, rest } = rootKind(name)
  const { type: rule, name: nameRule } = GRAMMAR[kind]
  const nameProblem = nameRule?.problem(rest) ?? null
  return { kind, root: name, rule, under: null, depth: 0, nameProblem }
}

/**
 * The place of the entries of a type that stands at `key` of `place`. Throws where it is nested too
 * deep.
 */
export const placeWithin = (place: TypePlace, key: string | null): TypePlace => {
  const depth = place.depth + 1
  if (depth > MAX_TYPE_DEPTH) throw new Error(`types are nested deeper than ${MAX_TYPE_DEPTH}`)
  const { rule: outer } = place
  const rule = outer.shape === 'any' ? ANY : (entryAt(outer, key)?.type ?? CLOSED)
  return { ...place, rule, under: place.depth === 0 ? key : place.under, depth }
}

/** The places of the types of a document; each is looked up once. */
export class TypePlaces {
  readonly doc: Y.Doc
  readonly #known = new WeakMap<object, TypePlace>()

  constructor(doc: Y.Doc) {
    this.doc = doc
  }

  /** The place of this type's entries. */
  of(type: Y.AbstractType<unknown>): TypePlace {
    const known = this.#known.get(type)
    if (known !== undefined) return known
    const place = this.#find(type)
    this.#known.set(type, place)
    return place
  }

  /**
   * Tells whether two references name the same type: by the name of a root, the id of the item that
   * holds the type, or the type.
   */
  isSame(a: string | Y.ID | Y.AbstractType<unknown> | null, b: typeof a): boolean {
    const [one, other] = [this.#name(a), this.#name(b)]
    return one instanceof Y.ID && other instanceof Y.ID ? Y.compareIDs(one, other) : one === other
  }

  #name(type: string | Y.ID | Y.AbstractType<unknown> | null): string | Y.ID | null {
    if (!(type instanceof Y.AbstractType)) return type
    return itemOf(type)?.id ?? rootName(this.doc, type)
  }

  #find(type: Y.AbstractType<unknown>): TypePlace {
    const item = itemOf(type)
    if (item === null) return placeOfRoot(rootName(this.doc, type))
    const { parent, parentSub } = item
    return parent instanceof Y.AbstractType ? placeWithin(this.of(parent), parentSub) : NO_PLACE
  }

  /** The newest item under each key of a root type, deleted ones included. */
  keysOf(root: string): Iterable<[string, Y.Item]> {
    const type = this.doc.share.get(root)
    return type === undefined ? [] : itemsByKey(type)
  }

  /** The newest item under a key of a root type, also a deleted one. */
  last(root: string, key: string): Y.Item | undefined {
    const type = this.doc.share.get(root)
    return type && itemsByKey(type).get(key)
  }

  /** The struct with this id. Throws where the document has none. */
  at({ client, clock }: Y.ID): Struct {
    return structAt(this.doc, client, clock)
  }

  /** The structs of a client that hold a clock in `clock` … `end - 1`. */
  range(client: number, clock: number, end: number): Iterable<Struct> {
    return structsIn(this.doc, client, clock, end)
  }
}

const rootName = (doc: Y.Doc, type: Y.AbstractType<unknown>): string => {
  for (const [name, root] of doc.share) if ((root as unknown) === type) return name
  return ''
}
