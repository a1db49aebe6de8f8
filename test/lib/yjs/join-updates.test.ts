import { expect, it } from 'vitest'
import * as Y from 'yjs'
import { joinUpdates, UpdateJoiner } from '../../../lib/yjs/join-updates.ts'
import { runSeed, seeded } from '../../support/client.ts'

const WRITERS = 4
const EDITS = 120

/** The updates of several writers in the order in which a log has them: each goes on from those before it. */
const history = (random: () => number): Uint8Array[] => {
  const below = (most: number): number => Math.floor(random() * most)
  const docs = Array.from({ length: WRITERS }, (_, i) => {
    const doc = new Y.Doc()
    doc.clientID = i + 1
    return doc
  })
  const log: Uint8Array[] = []
  for (const doc of docs) {
    doc.on('update', (update: Uint8Array, origin: unknown) => {
      if (origin !== 'log') log.push(update)
    })
  }
  const synced = docs.map(() => 0)
  const carets = docs.map(() => 0)
  for (let edit = 0; edit < EDITS; edit++) {
    const who = below(WRITERS)
    const doc = docs[who]!
    if (random() < 0.5) {
      for (const update of log.slice(synced[who])) Y.applyUpdate(doc, update, 'log')
      synced[who] = log.length
    }
    const text = doc.getText('text')
    const list = doc.getArray<unknown>('list')
    const kind = below(12)
    if (kind > 7) {
      // Typed in a row, as people do.
      carets[who] = Math.min(carets[who]!, text.length)
      text.insert(carets[who]!, ['a', 'bc', '🦞'][below(3)]!)
      carets[who] = carets[who]! + below(4)
    } else if (kind < 3) text.insert(below(text.length + 1), ['word ', '🦞', 'é'][below(3)]!)
    else if (kind === 3 && text.length > 0) {
      const at = below(text.length)
      text.delete(at, Math.min(text.length - at, 1 + below(6)))
    } else if (kind === 4) doc.getMap('map').set(`k${below(5)}`, { at: edit, deep: [1, 'two'] })
    else if (kind === 5) doc.getMap('map').delete(`k${below(5)}`)
    else if (kind === 6) list.insert(below(list.length + 1), [edit, new Y.Map([['n', edit]])])
    else if (list.length > 0) list.delete(below(list.length))
    // What a client sends again after a lost connection.
    const again = below(20)
    if (again === 0) log.push(Y.encodeStateAsUpdate(doc))
    if (again === 1 && log.length > 0) log.push(log[below(log.length)]!)
  }
  return log
}

const built = (updates: readonly Uint8Array[]): Y.Doc => {
  const doc = new Y.Doc()
  for (const update of updates) Y.applyUpdate(doc, update)
  return doc
}

/** The same with every few updates packed first; null: they do not follow each other. */
const joinedByParts = (updates: readonly Uint8Array[], below: (most: number) => number) => {
  const joiner = new UpdateJoiner()
  for (let at = 0; at < updates.length; ) {
    const part = updates.slice(at, at + 1 + below(12))
    at += part.length
    if (below(3) === 0) {
      if (!part.every((update) => joiner.add(update))) return null
      continue
    }
    const packer = new UpdateJoiner()
    if (!part.every((update) => packer.add(update))) return null
    if (!joiner.addPacked(packer.packed())) return null
  }
  return joiner.joined()
}

const shown = (doc: Y.Doc) => ({
  text: doc.getText('text').toString(),
  map: doc.getMap('map').toJSON(),
  list: doc.getArray('list').toJSON(),
})

it('a joined tail makes the document that its updates make one by one', () => {
  const random = seeded(runSeed('joined updates'))
  let [joined, inParts] = [0, 0]
  for (let run = 0; run < 30 || joined <= 10 || inParts <= 10; run++) {
    expect(run).toBeLessThan(1_000) // a third of all tails can be joined
    const log = history(random)
    const from = Math.floor(random() * log.length)
    const [before, tail] = [log.slice(0, from), log.slice(from)]
    const one = joinUpdates(tail)
    if (one === null) continue
    joined++
    const expected = built(log)
    const parts = joinedByParts(tail, (most) => Math.floor(random() * most))
    if (parts !== null) inParts++
    for (const joinedTail of parts === null ? [one] : [one, parts]) {
      const found = built([...before, joinedTail])
      expect(shown(found)).toEqual(shown(expected))
      expect(Y.equalSnapshots(Y.snapshot(found), Y.snapshot(expected))).toBe(true)
      expect(found.store.pendingStructs).toBeNull()
      expect(found.store.pendingDs).toBeNull()
    }
  }
})

it('what was typed in a row becomes one struct, and another one goes between its characters', () => {
  const doc = new Y.Doc()
  const updates: Uint8Array[] = []
  doc.on('update', (update: Uint8Array) => updates.push(update))
  const text = doc.getText('text')
  text.insert(0, '()')
  for (const [i, word] of ['é', '🦞', 'c'].entries()) text.insert([1, 2, 4][i]!, word)
  const other = built(updates)
  other.getText('text').insert(2, 'X')
  updates.push(Y.encodeStateAsUpdate(other, Y.encodeStateVector(doc)))
  const one = joinUpdates(updates)!
  expect(built([one]).getText('text').toString()).toBe('(éX🦞c)')
  expect(Y.decodeUpdate(one).structs).toHaveLength(3)
})

it.each([1, 126, 127, 128, 300, 16_500])(
  'a text of %i characters and more grows whole',
  (length) => {
    const doc = new Y.Doc()
    const updates: Uint8Array[] = []
    doc.on('update', (update: Uint8Array) => updates.push(update))
    const text = doc.getText('text')
    for (const word of ['x'.repeat(length), 'y', 'é🦞', 'z'.repeat(40)])
      text.insert(text.length, word)
    const one = joinUpdates(updates)!
    expect(built([one]).getText('text').toString()).toBe(text.toString())
    expect(Y.decodeUpdate(one).structs).toHaveLength(1)
    expect(one).toEqual(Y.encodeStateAsUpdate(doc))
  },
)

it('updates that do not follow each other are not joined', () => {
  const doc = new Y.Doc()
  const updates: Uint8Array[] = []
  doc.on('update', (update: Uint8Array) => updates.push(update))
  for (const word of ['a', 'b', 'c']) doc.getText('text').insert(0, word)
  expect(joinUpdates([updates[0]!, updates[2]!])).toBeNull()
  expect(joinUpdates([Y.mergeUpdates([updates[0]!, updates[2]!])])).toBeNull()
  expect(joinUpdates([updates[0]!, updates[0]!, updates[1]!])).toEqual(
    joinUpdates([updates[0]!, updates[1]!]),
  )
})

it('joining bytes that are no update throws', () => {
  expect(() => joinUpdates([new Uint8Array([1, 1, 1])])).toThrow()
})
