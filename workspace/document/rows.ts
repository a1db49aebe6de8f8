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
 * Appending to an array of which old elements are deleted all the time. Yjs keeps a place of every deleted element, and
 * joins those of one writer that stand next to each other and were written one after another. So a writer puts its
 * elements in a row: what is left of a million is a few places a writer, however writers take turns. The order of the
 * array then means nothing; who simply pushes does no harm but that.
 */
export const appendInRow = <T>(doc: Y.Doc, array: Y.Array<T>, entry: T): void => {
  const last = lastStruct(doc, doc.clientID)
  // Yjs joins what one writer writes without a break only: after anything else any place is as good as the end.
  if (last instanceof Y.Item && last.parent === array) insertAfter(doc, array, last, entry)
  else array.push([entry])
}

/** An element of an array, whatever a peer has put there. */
export interface Element {
  /** Its place in the array as it is now. */
  index: number
  /** Its Yjs id: who wrote it, and as which of all that writer's operations. No other writer can choose it. */
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

/** Deletes the elements at these indexes, as few ranges. */
export const deleteAll = <T>(array: Y.Array<T>, indexes: number[]): void => {
  indexes.sort((a, b) => b - a)
  // From the last on: what is before it keeps its index.
  for (let i = 0; i < indexes.length; ) {
    const last = indexes[i]!
    let length = 1
    while (indexes[i + length] === last - length) length++
    array.delete(last - length + 1, length)
    i += length
  }
}
