import { expect, it } from 'vitest'
import * as Y from 'yjs'
import {
  deleteOperations,
  firstItem,
  hasDeleted,
  hasPending,
  indexOfClock,
  insertAfter,
  insertTextAfter,
  isAt,
  isChanging,
  isElement,
  isPristine,
  isRootType,
  itemAfter,
  itemBefore,
  itemOf,
  itemOfParent,
  itemsByKey,
  lastStruct,
  stateVectorOf,
  stringIn,
  structAt,
  structsByClient,
  structsIn,
  typeIn,
  unitsIn,
  valuesIn,
} from '../../../lib/yjs/internals.ts'

/** A document of client 1 with `text`: "abef" of clocks 0-5, "cd" deleted. */
const withText = (): { doc: Y.Doc; text: Y.Text } => {
  const doc = new Y.Doc()
  doc.clientID = 1
  const text = doc.getText('text')
  text.insert(0, 'abcdef')
  text.delete(2, 2)
  return { doc, text }
}

it('[LAYER-5] items of a text stand in a list, deleted ones included', () => {
  const { doc, text } = withText()
  const items: Y.Item[] = []
  for (let item = firstItem(text); item !== null; item = itemAfter(item)) items.push(item)
  expect(items.map((item) => [item.id.clock, item.length, isElement(item)])).toEqual([
    [0, 2, true],
    [2, 2, false],
    [4, 2, true],
  ])
  expect(items.map(stringIn)).toEqual(['ab', null, 'ef'])
  expect(items.map(({ origin, rightOrigin }) => [origin?.clock, rightOrigin])).toEqual([
    [undefined, null],
    [1, null],
    [3, null],
  ])
  expect(unitsIn(text)).toBe(4)
  expect(firstItem(doc.getText('other'))).toBeNull()

  text.format(0, 1, { bold: true })
  const marks = [firstItem(text)!, itemAfter(itemAfter(firstItem(text)!)!)!]
  expect(marks.map(({ content }) => content.constructor)).toEqual([
    Y.ContentFormat,
    Y.ContentFormat,
  ])
  expect(marks.map(isElement)).toEqual([false, false])
})

it('[LAYER-5] the units of a root whose class is not known yet are counted', () => {
  const doc = new Y.Doc()
  Y.applyUpdate(doc, Y.encodeStateAsUpdate(withText().doc))
  expect(unitsIn(doc.share.get('text')!)).toBe(4)
  expect(firstItem(doc.share.get('text')!)?.id.clock).toBe(0)
})

it('[LAYER-5] a map keeps the newest item of each key, and says in what it stands', () => {
  const doc = new Y.Doc()
  const map = doc.getMap('map')
  const inner = new Y.Map<unknown>()
  map.set('a', 1)
  map.set('inner', inner)
  map.set('a', 2)
  map.delete('a')
  expect([...itemsByKey(map)].map(([key, item]) => [key, item.deleted])).toEqual([
    ['a', true],
    ['inner', false],
  ])
  const before = itemBefore(itemsByKey(map).get('a')!)!
  expect([before.parentSub, before.deleted, itemBefore(before)]).toEqual(['a', true, null])
  const held = itemsByKey(map).get('inner')!
  expect([held.parentSub, held.parent, typeIn(held)]).toEqual(['inner', map, inner])
  expect(itemOf(inner)).toBe(held)
  expect(itemOf(map)).toBeNull()
  expect([isRootType(map), isRootType(inner)]).toEqual([true, false])
  expect([itemOfParent(inner), itemOfParent(map), itemOfParent(null)]).toEqual([held, null, null])
})

it('[LAYER-5] several values of one item are told one by one', () => {
  const doc = new Y.Doc()
  const array = doc.getArray<unknown>('array')
  array.push([1, { two: 2 }, 'three'])
  expect(valuesIn(firstItem(array)!)).toEqual([1, { two: 2 }, 'three'])
  expect(typeIn(firstItem(array)!)).toBeUndefined()
  expect(valuesIn(firstItem(withText().text)!)).toEqual(['a', 'b'])
})

it('[LAYER-5] an item goes right after another, and Yjs finds and joins it', () => {
  const doc = new Y.Doc()
  const array = doc.getArray<number>('array')
  array.push(Array.from({ length: 50 }, (_, i) => i))
  array.delete(20, 5)
  expect(array.get(30)).toBe(35)
  insertAfter(doc, array, lastStruct(doc, doc.clientID) as Y.Item, 50)
  expect(array.toArray().slice(-2)).toEqual([49, 50])
  expect(array.length).toBe(46)
  array.insert(31, [-1])
  expect(array.get(31)).toBe(-1)
  const other = new Y.Doc()
  Y.applyUpdate(other, Y.encodeStateAsUpdate(doc))
  expect(other.getArray('array').toArray()).toEqual(array.toArray())
  expect(structAt(doc, doc.clientID, 50).length).toBeGreaterThan(1)
})

it('[LAYER-5] structs are in lists by client, in the order of their clocks', () => {
  const { doc } = withText()
  expect([...structsByClient(doc).keys()]).toEqual([1])
  const structs = structsByClient(doc).get(1)!
  expect(structs.map(({ id }) => id.clock)).toEqual([0, 2, 4])
  expect([0, 1, 2, 5].map((clock) => indexOfClock(structs, clock))).toEqual([0, 0, 1, 2])
  expect(structAt(doc, 1, 3)).toBe(structs[1])
  expect(lastStruct(doc, 1)).toBe(structs[2])
  expect(lastStruct(doc, 2)).toBeUndefined()
  const clocksIn = (...range: [number, number?]) =>
    [...structsIn(doc, 1, ...range)].map(({ id }) => id.clock)
  expect(clocksIn(1)).toEqual([0, 2, 4])
  expect(clocksIn(2, 4)).toEqual([2])
  expect(clocksIn(6)).toEqual([])
  expect([...structsIn(doc, 2, 0)]).toEqual([])
})

it('[LAYER-5] a document tells whether it is new, and whether it holds something back', () => {
  const { doc, text } = withText()
  const before = Y.encodeStateVector(doc)
  text.insert(0, 'x')
  const other = new Y.Doc()
  expect([isPristine(other), isPristine(doc)]).toEqual([true, false])
  Y.applyUpdate(other, Y.encodeStateAsUpdate(doc, before))
  expect([isPristine(other), hasPending(other)]).toEqual([true, true])
  Y.applyUpdate(other, Y.encodeStateAsUpdate(doc))
  expect([isPristine(other), hasPending(other)]).toEqual([false, false])

  const deletes = new Y.Doc()
  Y.applyUpdate(deletes, Uint8Array.of(0, 1, 1, 1, 2, 2))
  expect(hasPending(deletes)).toBe(true)
})

it('[LAYER-5] a type tells within a transaction that it has changed', () => {
  const { doc, text } = withText()
  expect(isChanging(text)).toBe(false)
  doc.transact(() => {
    expect(isChanging(text)).toBe(false)
    text.insert(0, 'x')
    expect(isChanging(text)).toBe(true)
  })
  expect(isChanging(text)).toBe(false)
})

it('[LAYER-5] text is inserted and deleted by operations, also beside deleted ones', () => {
  const { doc, text } = withText()
  text.toJSON()
  const clock = insertTextAfter(doc, text, { client: 1, clock: 2 }, 'XY')
  expect([clock, text.toJSON(), text.length]).toEqual([6, 'abXYef', 6])
  deleteOperations(doc, text, { client: 1, clock: 1, length: 1 })
  deleteOperations(doc, text, { client: 1, clock: 5, length: 2 })
  expect([text.toJSON(), text.length]).toEqual(['aYe', 3])
  text.insert(2, '!')
  text.delete(0, 1)
  expect(text.toJSON()).toBe('Y!e')
  const other = new Y.Doc()
  Y.applyUpdate(other, Y.encodeStateAsUpdate(doc))
  expect(other.getText('text').toJSON()).toBe('Y!e')
})

it('[LAYER-5] a delete set is known when all of its operations are there and deleted', () => {
  const { doc, text } = withText()
  const deletes = (clock: number, len: number) => ({
    clients: new Map([[1, [{ clock, len }]]]),
  })
  const has = (clock: number, len: number) => hasDeleted(doc, deletes(clock, len))
  expect([has(2, 2), has(3, 1), has(2, 0)]).toEqual([true, true, true])
  expect([has(1, 2), has(2, 3), has(0, 1), has(5, 2), has(9, 1)]).toEqual(Array(5).fill(false))
  text.delete(0, 2)
  expect([has(0, 4), has(0, 5)]).toEqual([true, false])
  expect(hasDeleted(doc, { clients: new Map([[2, [{ clock: 0, len: 1 }]]]) })).toBe(false)
  expect(hasDeleted(doc, { clients: new Map() })).toBe(true)
})

it('[LAYER-5] the state vector of a document is that of Yjs', () => {
  const { doc, text } = withText()
  const other = new Y.Doc()
  other.clientID = 2
  Y.applyUpdate(other, Y.encodeStateAsUpdate(doc))
  other.getText('text').insert(0, 'x')
  expect(stateVectorOf(other)).toEqual(Y.decodeStateVector(Y.encodeStateVector(other)))
  expect(stateVectorOf(new Y.Doc())).toEqual(new Map())
  const before = stateVectorOf(doc)
  expect([isAt(doc, before), isAt(other, before)]).toEqual([true, false])
  text.insert(0, 'y')
  expect([isAt(doc, before), isAt(doc, stateVectorOf(doc))]).toEqual([false, true])
  expect(isAt(new Y.Doc(), new Map([[1, 0]]))).toBe(false)
})
