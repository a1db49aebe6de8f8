import * as Y from 'yjs'

/**
 * The fields that Yjs keeps for itself: lists of items, maps of items, the struct store. Any release of Yjs may change
 * them, so no other file names them (test/imports.test.ts), and test/lib/yjs/internals.test.ts fails when one changes.
 * The functions run for every item of large documents: none allocates, except where its comment says so.
 */

type Internals = Y.AbstractType<unknown>
export type Struct = Y.Item | Y.GC
type Decoded = ReturnType<typeof Y.decodeUpdate>

// ── Types ──────────────────────────────────────────────────────────────────────────────────────────────────────

/** First item of a list or text, deleted ones included; null: nothing was ever inserted. */
export const firstItem = (type: Pick<Internals, '_start'>): Y.Item | null => type._start

/** The item to the right, deleted ones included; null: `item` is the last. */
export const itemAfter = (item: Y.Item): Y.Item | null => item.right

/** The item to the left; of a map's item, the one that had the key before. */
export const itemBefore = (item: Y.Item): Y.Item | null => item.left

/** The item that holds this type; null: the type is a root. */
export const itemOf = (type: Pick<Internals, '_item'>): Y.Item | null => type._item

export const isRootType = (type: Pick<Internals, '_item'>): boolean => type._item === null

/** The newest item under each key, deleted ones included: Yjs keeps every key for ever. */
export const itemsByKey = (type: Pick<Internals, '_map'>): ReadonlyMap<string, Y.Item> => type._map

/** Units of a list or text as Yjs counts them, also of a root whose class is not known yet. */
export const unitsIn = (type: Pick<Internals, '_length'>): number => type._length

/** The item that `parent` stands in; null: `parent` is a root, or Yjs has dropped it. */
export const itemOfParent = (parent: Y.Item['parent'] | undefined): Y.Item | null =>
  parent instanceof Y.AbstractType ? parent._item : null

/** Tells whether the transaction under way has changed this type: its observers run only at the end. */
export const isChanging = (type: Pick<Internals, 'doc'>): boolean =>
  type.doc?._transaction?.changed.has(type as never) ?? false

// ── Items ──────────────────────────────────────────────────────────────────────────────────────────────────────

/** Tells whether the item counts as an element: neither deleted nor a mark. */
export const isElement = (item: Y.Item): boolean => !item.deleted && item.countable

/** The characters of an item, also of a deleted one that still has them; null: it holds something else. */
export const stringIn = ({ content }: Y.Item): string | null =>
  content instanceof Y.ContentString ? content.str : null

/** The values of an item: one for each of its clocks. Allocates for texts. */
export const valuesIn = (item: Y.Item): readonly unknown[] => item.content.getContent()

/** The type that an item holds; undefined: it holds something else. */
export const typeIn = ({ content }: Y.Item): Y.AbstractType<unknown> | undefined =>
  content instanceof Y.ContentType ? (content.type as Y.AbstractType<unknown>) : undefined

/** Inserts `value` right after `left`, which `Y.Array.insert` cannot where elements beside it are deleted. */
export const insertAfter = <T>(doc: Y.Doc, array: Y.Array<T>, left: Y.Item, value: T): void => {
  doc.transact((transaction) => {
    const { lastId, right } = left
    const id = Y.createID(doc.clientID, Y.getState(doc.store, doc.clientID))
    const content = new Y.ContentAny([value])
    const item = new Y.Item(id, left, lastId, right, right?.id ?? null, array, null, content)
    item.integrate(transaction, 0)
    // Yjs caches indexes of the array here; an insert past its own methods makes them wrong.
    array._searchMarker?.splice(0)
  })
}

/** Inserts characters into a text right after the operation `client`, `clock`, deleted or not. Returns the clock of the first. */
export const insertTextAfter = (
  doc: Y.Doc,
  text: Y.Text,
  { client, clock }: { client: number; clock: number },
  characters: string,
): number =>
  doc.transact((transaction) => {
    const left = Y.getItemCleanEnd(transaction, doc.store, Y.createID(client, clock))
    const { lastId, right } = left
    const id = Y.createID(doc.clientID, Y.getState(doc.store, doc.clientID))
    const content = new Y.ContentString(characters)
    const item = new Y.Item(id, left, lastId, right, right?.id ?? null, text, null, content)
    item.integrate(transaction, 0)
    text._searchMarker?.splice(0)
    return id.clock
  })

/** Deletes operations of one client in a text. */
export const deleteOperations = (
  doc: Y.Doc,
  text: Y.Text,
  { client, clock, length }: { client: number; clock: number; length: number },
): void =>
  doc.transact((transaction) => {
    const end = clock + length
    for (let at = clock; at < end; ) {
      const item = Y.getItemCleanStart(transaction, Y.createID(client, at))
      if (at + item.length > end) {
        Y.getItemCleanEnd(transaction, doc.store, Y.createID(client, end - 1))
      }
      item.delete(transaction)
      at += item.length
    }
    text._searchMarker?.splice(0)
  })

// ── Struct store ───────────────────────────────────────────────────────────────────────────────────────────────

/** All structs of a document by client id, each client's in the order of its clocks. */
export const structsByClient = (doc: Y.Doc): ReadonlyMap<number, readonly Struct[]> =>
  doc.store.clients

/** The operations that a document has, as a Yjs state vector. Allocates one map. */
export const stateVectorOf = (doc: Y.Doc): Map<number, number> => {
  const vector = new Map<number, number>()
  for (const [client, structs] of doc.store.clients) {
    const { id, length } = structs.at(-1)!
    vector.set(client, id.clock + length)
  }
  return vector
}

/** Tells whether a document has exactly the operations of a state vector. */
export const isAt = (doc: Y.Doc, vector: ReadonlyMap<number, number>): boolean => {
  if (doc.store.clients.size !== vector.size) return false
  for (const [client, structs] of doc.store.clients) {
    const { id, length } = structs.at(-1)!
    if (vector.get(client) !== id.clock + length) return false
  }
  return true
}

/** The newest struct of a client; undefined: the document has none. */
export const lastStruct = (doc: Y.Doc, client: number): Struct | undefined =>
  doc.store.clients.get(client)?.at(-1)

/** Index of the struct that holds `clock`. Throws where none of `structs` does. */
export const indexOfClock = (structs: readonly Struct[], clock: number): number =>
  Y.findIndexSS(structs as Struct[], clock)

/** The structs of a client that hold a clock in `from` … `end - 1`. Allocates one generator. */
export const structsIn = function* (
  doc: Y.Doc,
  client: number,
  from: number,
  end = Infinity,
): Generator<Struct> {
  const structs = doc.store.clients.get(client)
  const last = structs?.at(-1)
  if (structs === undefined || last === undefined || from >= last.id.clock + last.length) return
  for (let i = Y.findIndexSS(structs, from); i < structs.length; i++) {
    const struct = structs[i]!
    if (struct.id.clock >= end) return
    yield struct
  }
}

/**
 * The operations that a transaction deleted, as ranges in order per client. Call it in `afterTransaction`: contents
 * are still there; `onItem` gets each deleted item, with the part of it from `from` to `end - 1` that is in the range.
 */
export const deletedIn = (
  { deleteSet, doc }: Y.Transaction,
  onItem: (item: Y.Item, from: number, end: number) => void,
): { client: number; clock: number; length: number }[] => {
  const ranges: { client: number; clock: number; length: number }[] = []
  for (const [client, deletions] of deleteSet.clients) {
    for (const { clock, len } of deletions) {
      ranges.push({ client, clock, length: len })
      for (const struct of structsIn(doc, client, clock, clock + len)) {
        if (!(struct instanceof Y.Item)) continue
        const { id, length } = struct
        onItem(struct, Math.max(clock, id.clock), Math.min(clock + len, id.clock + length))
      }
    }
  }
  return ranges
}

/** Tells whether a document has every operation of a delete set, deleted. */
export const hasDeleted = (doc: Y.Doc, { clients }: Decoded['ds']): boolean => {
  for (const [client, ranges] of clients) {
    for (const { clock, len } of ranges) {
      let at = clock
      for (const { deleted, id, length } of structsIn(doc, client, clock, clock + len)) {
        if (!deleted) return false
        at = id.clock + length
      }
      if (at < clock + len) return false
    }
  }
  return true
}

/** The struct with this id. Throws where the document has none. */
export const structAt = (doc: Y.Doc, client: number, clock: number): Struct =>
  Y.getItem(doc.store, Y.createID(client, clock)) as Struct

/** Tells whether nothing was ever written or merged into the document. */
export const isPristine = (doc: Y.Doc): boolean => doc.store.clients.size === 0

/** Tells whether the document holds back an update because operations before it are missing. */
export const hasPending = (doc: Y.Doc): boolean =>
  doc.store.pendingStructs !== null || doc.store.pendingDs !== null
