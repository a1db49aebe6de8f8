import { describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import { type Clocks, checkUpdate } from '../../../../sync-server/sync/updates/check.ts'

/** The updates of `edits`, one each, by a document with this client id. */
const updatesOf = (client: number, edits: ((doc: Y.Doc) => void)[], from?: Uint8Array) => {
  const doc = new Y.Doc()
  if (from) Y.applyUpdate(doc, from)
  doc.clientID = client
  const updates: Uint8Array[] = []
  doc.on('update', (update: Uint8Array) => updates.push(update))
  for (const edit of edits) edit(doc)
  return { doc, updates }
}

const insert = (text: string) => (doc: Y.Doc) => doc.getText('t').insert(0, text)

describe('checkUpdate', () => {
  it('[SYNC-4] lets complete updates through and advances the clocks', () => {
    const { updates, doc } = updatesOf(1, [insert('ab'), insert('c')])
    const clocks: Clocks = new Map()
    for (const update of updates) expect(checkUpdate(update, clocks)).toBe('ready')
    expect(clocks).toEqual(Y.decodeStateVector(Y.encodeStateVector(doc)))
    // What is known already brings nothing: it is not stored, or sent to everyone, again.
    expect(checkUpdate(updates[0]!, clocks)).toBe('empty')
    expect(clocks.get(1)).toBe(3)
  })

  it('[SYNC-4] sees a gap in a client’s own operations', () => {
    const { updates } = updatesOf(1, [insert('ab'), insert('c'), insert('d')])
    const clocks: Clocks = new Map()
    expect(checkUpdate(updates[1]!, clocks)).toBe('gap')
    expect(clocks.size).toBe(0)
  })

  it('[SYNC-4] sees an origin, a parent or a deletion that is not there', () => {
    const base = updatesOf(1, [insert('base')])
    const all = Y.encodeStateAsUpdate(base.doc)
    const origin = updatesOf(2, [(doc) => doc.getText('t').insert(2, 'x')], all)
    expect(checkUpdate(origin.updates[0]!, new Map())).toBe('gap')
    const deletion = updatesOf(2, [(doc) => doc.getText('t').delete(0, 2)], all)
    expect(checkUpdate(deletion.updates[0]!, new Map())).toBe('gap')
    expect(checkUpdate(deletion.updates[0]!, new Map([[1, 4]]))).toBe('ready')
    const tree = updatesOf(3, [(doc) => doc.getMap('m').set('k', new Y.Map())])
    const child = updatesOf(
      4,
      [(doc) => (doc.getMap('m').get('k') as Y.Map<number>).set('n', 1)],
      Y.encodeStateAsUpdate(tree.doc),
    )
    expect(checkUpdate(child.updates[0]!, new Map())).toBe('gap')
    expect(checkUpdate(child.updates[0]!, new Map([[3, 1]]))).toBe('ready')
  })

  it('[SYNC-4] takes an update that brings along what it builds on, from several clients', () => {
    const one = updatesOf(1, [insert('one')])
    const two = updatesOf(2, [insert('two')], Y.encodeStateAsUpdate(one.doc))
    expect(checkUpdate(Y.encodeStateAsUpdate(two.doc), new Map())).toBe('ready')
  })

  it('[SYNC-4] calls the empty update empty', () => {
    expect(checkUpdate(new Uint8Array([0, 0]), new Map())).toBe('empty')
  })

  it('[SYNC-3] throws on what is not an update', () => {
    for (const bytes of [[], [1], [255, 255, 255], [1, 1, 5, 0, 255]]) {
      expect(() => checkUpdate(new Uint8Array(bytes), new Map())).toThrow()
    }
  })
})
