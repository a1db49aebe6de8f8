import * as Y from 'yjs'
import {
  firstItem,
  insertAfter,
  isElement,
  itemAfter,
  lastStruct,
  valuesIn,
} from '../../lib/yjs/internals.ts'

/**
 * Appends to an array whose old elements are deleted all the time. Yjs keeps a tombstone for every
 * deleted element, and joins tombstones of one writer that are neighbours and were written in a
 * row. So a writer inserts each element right after its previous one: a million deleted elements
 * leave a few tombstones per writer, however writers alternate. The order of the array then means
 * nothing; a plain push only costs more tombstones.
 */
export const appendInRow = <T>(doc: Y.Doc, array: Y.Array<T>, entry: T): void => {
  const last = lastStruct(doc, doc.clientID)
  // Yjs joins only what one writer writes in a row: after another operation the end of the array is
  // as good.
  if (last instanceof Y.Item && last.parent === array) insertAfter(doc, array, last, entry)
  else array.push([entry])
}

/** An element of an array, valid or not. */
export interface Element {
  /** Its index in the array now. */
  index: number
  /** Its Yjs id: the client that wrote it, and the clock. No other client can choose it. */
  client: number
  clock: number
  value: unknown
}

/** Elements in the order of the array. */
export const elementsOf = function* <T>(array: Y.Array<T>): Generator<Element> {
  let index = 0
  for (let item = firstItem(array); item !== null; item = itemAfter(item)) {
    if (!isElement(item)) continue
    const { client, clock } = item.id
    for (const [offset, value] of valuesIn(item).entries()) {
      yield { index: index++, client, clock: clock + offset, value }
    }
  }
}

/** Deletes the elements at these indexes, in as few ranges as possible. */
export const deleteAll = <T>(array: Y.Array<T>, indexes: number[]): void => {
  indexes.sort((a, b) => b - a)
  // From the end: elements before keep their index.
  for (let i = 0; i < indexes.length; ) {
    const last = indexes[i]!
    let length = 1
    while (indexes[i + length] === last - length) length++
    array.delete(last - length + 1, length)
    i += length
  }
}
