import * as Y from 'yjs'
import { LazyMap } from '../../../lib/lazy.ts'
import {
  firstItem,
  itemAfter,
  itemOf,
  itemsByKey,
  typeIn,
  unitsIn,
} from '../../../lib/yjs/internals.ts'
import { CLOSE, WireError } from '../../../protocol/frames.ts'
import {
  MAX_AGENT_ROOTS,
  MAX_EDIT_COUNTS,
  MAX_MARKS,
  MAX_OTHER_ROOTS,
  MAX_SUBDOCUMENTS,
  MAX_TEXT_UNITS,
} from '../../../protocol/limits.ts'
import { rootKind } from '../../../workspace/document/grammar.ts'
import type { TypePlaces } from '../../../workspace/document/places.ts'
import { EDITS_PREFIX } from '../../../workspace/document/schema.ts'
import type { Arrivals, Spot } from './arrivals.ts'

const full = (what: string): WireError => new WireError(CLOSE.full, what)

/** Additions of some updates. A map is identified by the name of its root or by the Yjs id of its item. */
interface Added {
  roots: Set<string>
  otherRoots: number
  subdocuments: number
  editKeys: number
  /** New keys of maps, by map. */
  keys: Map<string, Set<string>>
}

/**
 * Counts things in a document that stay, or that cost every replica something at each change: roots, keys of maps,
 * subdocuments, text, marks. Includes updates that were admitted and are not applied yet.
 */
export class Amounts {
  readonly #places: TypePlaces
  readonly #ownerOf: (client: number) => string | undefined
  #waiting: Added | null = null
  /** Roots, by the agent that was the first to write in them; null: not counted yet. */
  #roots: Map<string, number> | null = null
  #otherRoots = 0
  #editKeys: Map<string, number> | null = null
  /** UTF-16 units, and marks, that each text may still get, by root; counted again once they are used up. */
  readonly #units = new LazyMap<string, number>()
  readonly #marks = new LazyMap<string, number>()

  constructor(places: TypePlaces, ownerOf: (client: number) => string | undefined) {
    this.#places = places
    this.#ownerOf = ownerOf
  }

  applied(): void {
    this.#waiting = null
  }

  /** Checks the new operations in an update of `agent`. Throws WireError `full`. */
  check(agent: string, arrivals: Arrivals): void {
    // Most updates add nothing but text.
    let added: Added | null = null
    for (const list of arrivals.values()) {
      for (const { struct, spot } of list) {
        if (!(struct instanceof Y.Item) || spot.within === null) continue
        const { place, key } = spot
        if (place.kind === 'file' && place.depth === 0) this.#checkText(place.root, struct)
        const isDoc = struct.content instanceof Y.ContentDoc
        const isNewKey = key !== null && place.rule.most !== undefined && !this.#hasKey(spot, key)
        const isNewRoot = place.depth === 0 && !this.#isRoot(place.root)
        if (!isDoc && !isNewKey && !isNewRoot) continue
        added ??= nothing()
        if (isDoc) added.subdocuments++
        if (isNewKey) this.#addKey(spot, key, added)
        if (isNewRoot && !added.roots.has(place.root)) {
          added.roots.add(place.root)
          if (place.kind === 'other') added.otherRoots++
        }
      }
    }
    if (added !== null) this.#keep(agent, added)
  }

  #keep(agent: string, added: Added): void {
    const waiting = this.#waiting ?? nothing()
    this.#checkRoots(agent, added)
    this.#checkEditKeys(agent, added)
    const subdocuments = waiting.subdocuments + added.subdocuments
    if (added.subdocuments > 0 && this.#places.doc.subdocs.size + subdocuments > MAX_SUBDOCUMENTS) {
      throw full(`a workspace has ${MAX_SUBDOCUMENTS} subdocuments at most`)
    }
    this.#waiting = waiting
    waiting.subdocuments = subdocuments
    for (const root of added.roots) waiting.roots.add(root)
    for (const [map, keys] of added.keys) {
      const known = waiting.keys.get(map) ?? new Set()
      for (const key of keys) known.add(key)
      waiting.keys.set(map, known)
    }
  }

  #checkText(root: string, { content, length }: Y.Item): void {
    if (content instanceof Y.ContentString) {
      let left = (this.#units.get(root) ?? 0) - length
      if (left < 0) left = MAX_TEXT_UNITS - this.#unitsOf(root) - length
      if (left < 0) throw full(`${root}: a text has ${MAX_TEXT_UNITS} characters at most`)
      this.#units.set(root, left)
    } else if (content instanceof Y.ContentFormat) {
      let left = (this.#marks.get(root) ?? 0) - 1
      if (left < 0) left = MAX_MARKS - this.#countMarks(root) - 1
      if (left < 0) throw full(`${root}: a text has ${MAX_MARKS} marks at most`)
      this.#marks.set(root, left)
    }
  }

  #unitsOf(root: string): number {
    const type = this.#places.doc.share.get(root)
    return type === undefined ? 0 : unitsIn(type)
  }

  #isRoot(root: string): boolean {
    return this.#places.doc.share.has(root) || this.#waiting?.roots.has(root) === true
  }

  #hasKey({ within, place }: Spot, key: string): boolean {
    const type = this.#typeOf(within)
    if (type !== undefined && itemsByKey(type).has(key)) return true
    return this.#waiting?.keys.get(mapName(within, place.root))?.has(key) === true
  }

  #addKey({ within, place }: Spot, key: string, added: Added): void {
    const name = mapName(within, place.root)
    const keys = added.keys.get(name) ?? new Set()
    if (keys.has(key)) return
    keys.add(key)
    added.keys.set(name, keys)
    if (place.kind === 'edits') added.editKeys++
    const type = this.#typeOf(within)
    const there = type === undefined ? 0 : itemsByKey(type).size
    const waiting = this.#waiting?.keys.get(name)?.size ?? 0
    if (there + waiting + keys.size > place.rule.most!) {
      throw full(`${place.root}: a map there has ${place.rule.most} keys at most`)
    }
  }

  /** The type as it is in the document; undefined: it is not there yet. */
  #typeOf(within: Spot['within']): Y.AbstractType<unknown> | undefined {
    if (within instanceof Y.AbstractType) return within
    const { doc } = this.#places
    if (typeof within === 'string') {
      return doc.share.get(within) as Y.AbstractType<unknown> | undefined
    }
    if (within === null || within.clock >= Y.getState(doc.store, within.client)) return undefined
    const item = this.#places.at(within)
    return item instanceof Y.Item ? typeIn(item) : undefined
  }

  #checkRoots(agent: string, { roots, otherRoots }: Added): void {
    if (roots.size === 0) return
    this.#roots ??= this.#countRoots()
    const mine = (this.#roots.get(agent) ?? 0) + roots.size
    if (mine > MAX_AGENT_ROOTS) {
      throw full(`an agent can make ${MAX_AGENT_ROOTS} roots in a workspace`)
    }
    if (this.#otherRoots + otherRoots > MAX_OTHER_ROOTS) {
      throw full(`a workspace has ${MAX_OTHER_ROOTS} roots of other programs at most`)
    }
    this.#roots.set(agent, mine)
    this.#otherRoots += otherRoots
  }

  #checkEditKeys(agent: string, { editKeys }: Added): void {
    if (editKeys === 0) return
    this.#editKeys ??= this.#countEditKeys()
    const mine = (this.#editKeys.get(agent) ?? 0) + editKeys
    if (mine > MAX_EDIT_COUNTS) throw full(`an agent has ${MAX_EDIT_COUNTS} edit counts at most`)
    this.#editKeys.set(agent, mine)
  }

  #countRoots(): Map<string, number> {
    const roots = new Map<string, number>()
    for (const [name, type] of this.#places.doc.share) {
      const first = firstItem(type) ?? itemsByKey(type).values().next().value
      if (first !== undefined) count(roots, this.#ownerOf(first.id.client) ?? '', 1)
      if (rootKind(name).kind === 'other') this.#otherRoots++
    }
    return roots
  }

  #countEditKeys(): Map<string, number> {
    const keys = new Map<string, number>()
    for (const name of this.#places.doc.share.keys()) {
      if (!name.startsWith(EDITS_PREFIX)) continue
      for (const [client] of this.#places.keysOf(name)) {
        count(keys, this.#ownerOf(Number(client)) ?? '', 1)
      }
    }
    return keys
  }

  #countMarks(root: string): number {
    let marks = 0
    const type = this.#places.doc.share.get(root)
    if (type === undefined) return marks
    for (let item = firstItem(type); item !== null; item = itemAfter(item)) {
      if (!item.deleted && item.content instanceof Y.ContentFormat) marks++
    }
    return marks
  }
}

const nothing = (): Added => ({
  ...{ roots: new Set(), otherRoots: 0, subdocuments: 0, editKeys: 0 },
  keys: new Map(),
})

const count = (counts: Map<string, number>, name: string, by: number): void => {
  counts.set(name, (counts.get(name) ?? 0) + by)
}

/** One name for a map, whether it is in the document already or not. */
const mapName = (within: Spot['within'], root: string): string => {
  if (typeof within === 'string') return within
  const id = within instanceof Y.AbstractType ? itemOf(within)?.id : within
  return id === undefined || id === null ? root : `${id.client}:${id.clock}`
}
