import { expect, it } from 'vitest'
import * as Y from 'yjs'
import { checkUpdate } from '../../../../sync-server/sync/updates/check.ts'
import { LiveDocument } from '../../../../sync-server/sync/updates/document.ts'
import { slicesOf } from '../../../../sync-server/sync/updates/slices.ts'
import { runSeed, seeded } from '../../../support/client.ts'

/** Takes an update in as a room does: slice by slice, each checked against what is known. */
const takeIn = (update: Uint8Array, doc: Y.Doc) => {
  const clocks = Y.decodeStateVector(Y.encodeStateVector(doc))
  const slices = slicesOf(update, (client) => clocks.get(client) ?? 0)
  for (let count = 0; ; count++) {
    const { done, value } = slices.next()
    if (done) return { count, end: value }
    if (value === null) continue
    expect(checkUpdate(value, clocks), 'each slice can be applied').not.toBe('gap')
    Y.applyUpdate(doc, value)
    expect(doc.store.pendingStructs).toBeNull()
  }
}

/** Some of everything that Yjs can hold, by several clients who build on each other. */
const history = (random: () => number, changes: number): Y.Doc => {
  const docs = [new Y.Doc(), new Y.Doc(), new Y.Doc()]
  const below = (n: number) => Math.floor(random() * n)
  const change = (doc: Y.Doc): unknown => {
    const text = doc.getText('t')
    const map = doc.getMap('m')
    const list = doc.getArray('a')
    switch (below(9)) {
      case 0:
        return text.insert(below(text.length + 1), '𝄞 é')
      case 1:
        return text.length > 2 ? text.delete(below(text.length - 2), 2) : null
      case 2:
        return text.length > 2 ? text.format(0, 2, { bold: true }) : null
      case 3:
        return text.insertEmbed(0, { image: 'x' })
      case 4:
        return map.set(`k${below(5)}`, { deep: [1, 'two', null, 2n, new Uint8Array(3)] })
      case 5:
        return map.set('type', below(2) ? new Y.Map([['in', new Y.Array()]]) : new Y.XmlText('x'))
      case 6:
        return list.insert(below(list.length + 1), [
          1,
          'x',
          new Uint8Array(2),
          new Y.XmlElement('p'),
        ])
      case 7:
        return map.set('doc', new Y.Doc({ guid: 'inner' }))
      default:
        return list.length > 1 ? list.delete(0, 1) : null
    }
  }
  for (let i = 0; i < changes; i++) {
    change(docs[below(3)]!)
    if (random() < 0.1) {
      const [from, to] = [docs[below(3)]!, docs[below(3)]!]
      Y.applyUpdate(to, Y.encodeStateAsUpdate(from, Y.encodeStateVector(to)))
    }
  }
  for (const doc of docs.slice(1)) Y.applyUpdate(docs[0]!, Y.encodeStateAsUpdate(doc))
  return docs[0]!
}

it('[SYNC-9] a large update in slices is the same as in one, each slice without a gap', () => {
  const doc = history(seeded(runSeed('slices')), 8_000)
  const update = Y.encodeStateAsUpdate(doc)
  const there = new Y.Doc()
  const { count, end } = takeIn(update, there)
  expect(end).toBe('done')
  expect(count).toBeGreaterThan(3)
  expect(Y.encodeStateAsUpdate(there)).toEqual(update)
  expect(there.getText('t').toDelta()).toEqual(doc.getText('t').toDelta())
  // … again, it brings nothing new.
  expect(takeIn(update, there).end).toBe('done')
  expect(Y.encodeStateAsUpdate(there)).toEqual(update)
})

it('[SYNC-9] what builds on nothing is a gap also in slices; what is no update is an error', () => {
  const doc = new Y.Doc()
  const updates: Uint8Array[] = []
  doc.on('update', (update: Uint8Array) => updates.push(update))
  for (let i = 0; i < 8_000; i++) doc.getText('t').insert(0, 'x')
  const lacking = Y.mergeUpdates(updates.slice(1))
  expect(takeIn(lacking, new Y.Doc()).end).toBe('gap')
  const whole = Y.mergeUpdates(updates)
  const random = seeded(runSeed('broken slices'))
  let broken = 0
  for (let i = 0; i < 60; i++) {
    const bytes = whole.slice(0, 6_000 + Math.floor(random() * 5_000))
    for (let j = 0; j < 3; j++)
      bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256)
    try {
      takeIn(bytes, new Y.Doc())
    } catch {
      broken++
    }
  }
  expect(broken).toBeGreaterThan(30)
})

it('[SYNC-9] a value that goes on beyond the end of an update is an error, and takes no time', () => {
  const doc = new Y.Doc()
  doc.getArray('a').push([[1, 'two', { three: [null, true, 4.5, 6n, new Uint8Array(7)] }]])
  const whole = Y.encodeStateAsUpdate(doc)
  expect(takeIn(whole, new Y.Doc()).end).toBe('done')
  for (let end = 1; end < whole.length; end++) {
    expect(() => takeIn(whole.slice(0, end), new Y.Doc()), String(end)).toThrow()
  }
  // A list that says it has 2^49 values, and has none.
  const endless = [1, 1, 7, 0, 8, 1, 1, 97, 1, 117, 128, 128, 128, 128, 128, 128, 128, 1]
  expect(() => takeIn(new Uint8Array(endless), new Y.Doc())).toThrow('no known kind')
})

it('[SYNC-9] an update that brings more Yjs client ids than its sender may have is refused before any of it is let in', () => {
  const doc = new Y.Doc()
  for (let client = 1; client <= 4; client++) {
    doc.clientID = client
    for (let i = 0; i < 2_000; i++) doc.getText('t').insert(0, 'x')
  }
  const update = Y.encodeStateAsUpdate(doc)
  const of = (known: number) => slicesOf(update, (client) => (client <= known ? 1 : 0), 2)
  expect(() => [...of(1)]).toThrow('2 new Yjs client ids')
  expect([...of(2)].length).toBeGreaterThan(0)
})

it('[TEXT-10] what cannot be read is told in words: the content kind, or what of it is wrong', () => {
  const doc = new Y.Doc()
  doc.getArray('a').push([1])
  const update = Y.encodeStateAsUpdate(doc)
  const live = new LiveDocument()
  const words = (bytes: Uint8Array): string => {
    try {
      live.accept(bytes)
      return ''
    } catch (error) {
      return (error as Error).message
    }
  }
  // The kind is in the first byte of the struct, after 1 client, 1 struct, its client id and its clock.
  const at = 2 + lengthOfVarUint(doc.clientID) + 1
  for (const kind of [11, 12, 31]) {
    const other = update.slice()
    other[at] = kind
    expect(words(other)).toBe(`unknown content kind ${kind}`)
  }
  for (let i = 0; i < update.length; i++) {
    for (const byte of [0, 0x1f, 0x7f, 0x87, 0xff]) {
      const broken = update.slice()
      broken[i] = byte
      expect(words(broken)).not.toMatch(/function|undefined|null|properties|JSON at|token|\(info/)
    }
  }
})

const lengthOfVarUint = (number: number): number => {
  let length = 1
  for (let left = number; left > 127; left = Math.floor(left / 128)) length++
  return length
}
