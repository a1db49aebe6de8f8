import { randomBytes } from 'node:crypto'
import type { Socket } from 'node:net'
import * as decoding from 'lib0/decoding'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import { HEADS_HEADER } from '../../../protocol/frames.ts'
import { frame, liveDoc, RawClient, stockClient, until, untilDoc } from '../../support/client.ts'
import { startHere } from '../../support/in-process.ts'
import { asOwner, fetch, makeWorkspaces, type ServerAt, startServer } from '../../support/server.ts'

let server: ServerAt
beforeAll(async () => {
  // On a busy machine a test takes longer than a reader may read nothing by default.
  server = await startHere({ args: ['--limit', 'slow-reader-seconds=600'] })
})
afterAll(() => server.stop())

let rooms = 0
/** The name of a new workspace. */
const newRoom = async () => {
  const room = `room-${++rooms}`
  await makeWorkspaces(server.url, room)
  return room
}
const urlOf = (room: string) => `${server.sync}/${room}`

describe('the sync socket', () => {
  it('[SYNC-1] syncs two stock y-websocket clients: state, edits both ways, awareness', async () => {
    const room = await newRoom()
    const a = stockClient(server.sync, room)
    await a.synced
    a.doc.getText('t').insert(0, 'hello')
    const b = stockClient(server.sync, room)
    await b.synced
    await untilDoc(b.doc, () => b.doc.getText('t').toString() === 'hello')
    b.doc.getText('t').insert(5, ' world')
    await untilDoc(a.doc, () => a.doc.getText('t').toString() === 'hello world')

    a.provider.awareness.setLocalState({ agent: { id: 'a-1', name: 'one' } })
    const seenBy = () => b.provider.awareness.getStates().get(a.doc.clientID)
    await until('b sees a', () => seenBy() !== undefined)
    expect(seenBy()).toEqual({ agent: { id: 'a-1', name: 'one' } })
    a.close()
    await until('b sees a go', () => seenBy() === undefined)
    b.close()
  })

  it('[SYNC-2] [SYNC-11] answers a newcomer with everything, and only then says that it is synced', async () => {
    const room = await newRoom()
    const writer = await liveDoc(urlOf(room))
    for (let i = 0; i < 500; i++) writer.doc.getArray('list').push([i])
    await writer.client.barrier()
    const reader = stockClient(server.sync, room)
    await reader.synced
    expect(reader.doc.getArray('list').length).toBe(500)
    reader.close()
    await writer.client.close()
  })

  it('[SYNC-14] a newcomer gets many updates as one, in which each writer has all of its own', async () => {
    const room = await newRoom()
    const writers = await Promise.all([1, 2, 3].map(() => liveDoc(urlOf(room))))
    for (let i = 0; i < 90; i++) {
      const { doc, client } = writers[i % 3]!
      const text = doc.getText('t')
      text.insert(Math.floor(text.length / 2), `${i} `)
      if (i % 5 === 4) text.delete(0, 1)
      if (i % 4 === 3) await client.barrier()
    }
    for (const { client } of writers) await client.barrier()
    for (const { client } of writers) await client.barrier()
    const { doc, client } = await liveDoc(urlOf(room))
    expect(doc.getText('t').toString()).toBe(writers[0]!.doc.getText('t').toString())
    const end = client.messages.findIndex(([type, step]) => type === 0 && step === 1)
    const before = client.messages.slice(0, end)
    expect(before.filter(([type, step]) => type === 0 && step === 2)).toHaveLength(1)
    for (const one of [...writers, { client }]) await one.client.close()
  })

  it('[SYNC-15] a SyncStep2 that repeats what the server has is neither stored nor sent', async () => {
    const room = await newRoom()
    const writer = await liveDoc(urlOf(room))
    writer.doc.getText('t').insert(0, 'hello world')
    writer.doc.getText('t').delete(2, 3)
    await writer.client.barrier()
    const reader = await liveDoc(urlOf(room))
    const came = () => reader.client.messages.filter(([type]) => type === 0).length
    const before = came()
    const headers = { ...asOwner(server.url), [HEADS_HEADER]: '1' }
    const returning = await RawClient.open(urlOf(room), headers)
    const barrier = async () => {
      await returning.barrier()
      const last = returning.messages.findLast(([type]) => type === 100)!
      return decoding.readVarUint(decoding.createDecoder(last.subarray(2)))
    }
    const seq = await barrier()
    const doc = new Y.Doc()
    Y.applyUpdate(doc, Y.encodeStateAsUpdate(writer.doc))
    const repeat = () =>
      returning.send(frame(0, 1, Y.encodeStateAsUpdate(doc, Y.encodeStateVector(writer.doc))))
    repeat()
    expect(await barrier()).toBe(seq)
    await reader.client.barrier()
    expect(came()).toBe(before)

    doc.getText('t').delete(0, 1)
    repeat()
    expect(await barrier(), 'a deletion of its own is news').toBe(seq + 1)
    await reader.client.barrier()
    expect(reader.doc.getText('t').toString()).toBe('e world')
    for (const client of [writer.client, reader.client, returning]) await client.close()
  })

  it('[SYNC-2] sends a document of many megabytes in fragments, whole', async () => {
    const room = await newRoom()
    const text = randomBytes(3_000_000).toString('base64')
    const writer = await liveDoc(urlOf(room))
    writer.doc.getText('t').insert(0, text)
    await writer.client.barrier()
    const reader = stockClient(server.sync, room)
    await reader.synced
    expect(reader.doc.getText('t').toString() === text).toBe(true)
    const known = new Y.Doc()
    known.getText('x').insert(0, 'y')
    const other = await liveDoc(urlOf(room), known)
    await untilDoc(known, () => known.getText('t').length === text.length)
    await Promise.all([writer.client.close(), other.client.close()])
    reader.close()
  })

  it('[SYNC-1] merges what two clients wrote while they were away', async () => {
    const room = await newRoom()
    const docs = [new Y.Doc(), new Y.Doc()]
    for (const [i, doc] of docs.entries()) doc.getMap('m').set(`k${i}`, i)
    const clients = docs.map((doc) => stockClient(server.sync, room, doc))
    for (const doc of docs) await untilDoc(doc, () => doc.getMap('m').size === 2)
    for (const client of clients) client.close()
  })

  it('[SYNC-5] does not send a writer its own edits back', async () => {
    const room = await newRoom()
    const a = await liveDoc(urlOf(room))
    const b = await liveDoc(urlOf(room))
    const got: Uint8Array[] = []
    const apply = a.client.onUpdate
    a.client.onUpdate = (update) => {
      got.push(update)
      apply(update)
    }
    a.doc.getText('t').insert(0, 'mine')
    await untilDoc(b.doc, () => b.doc.getText('t').length === 4)
    b.doc.getText('t').insert(4, ' yours')
    await untilDoc(a.doc, () => a.doc.getText('t').length === 10)
    await a.client.barrier()
    expect(got).toHaveLength(1)
    await Promise.all([a.client.close(), b.client.close()])
  })

  it('[BARRIER-2] everything accepted before a barrier has reached its sender when the barrier comes back', async () => {
    const room = await newRoom()
    const a = await liveDoc(urlOf(room))
    const b = await liveDoc(urlOf(room))
    for (let i = 0; i < 50; i++) {
      a.doc.getArray('list').push([i])
      await a.client.barrier()
      await b.client.barrier()
      expect(b.doc.getArray('list').length).toBe(i + 1)
    }
    await Promise.all([a.client.close(), b.client.close()])
  })

  it('[BARRIER-2] … also when the state that was asked for has to be read from the log first', async () => {
    const room = await newRoom()
    const writer = await liveDoc(urlOf(room))
    for (let i = 0; i < 100; i++) {
      writer.doc.getArray('list').push([i])
      await writer.client.barrier()
      const newcomer = await liveDoc(urlOf(room))
      expect(newcomer.doc.getArray('list').length).toBe(i + 1)
      newcomer.client.ws.terminate()
    }
    await writer.client.close()
  })

  it('[RECORD-5] a barrier brings the head to a client that asks for it, and to others the bytes of before', async () => {
    const url = urlOf(await newRoom())
    const plain = await RawClient.open(url)
    const keeper = await RawClient.open(url, { ...asOwner(url), [HEADS_HEADER]: '1' })
    const heads: { seq: number; head: string }[] = []
    const doc = new Y.Doc()
    doc.on('update', (update: Uint8Array) => keeper.update(update))
    for (let i = 0; i < 3; i++) {
      doc.getArray('list').push([i])
      await keeper.barrier()
      await plain.barrier()
      const decoder = decoding.createDecoder(keeper.messages.findLast(([type]) => type === 100)!)
      const [type, nonce] = [decoding.readVarUint(decoder), decoding.readVarUint(decoder)]
      expect([type, nonce]).toEqual([100, i + 1])
      const seq = decoding.readVarUint(decoder)
      heads.push({ seq, head: Buffer.from(decoding.readTailAsUint8Array(decoder)).toString('hex') })
      expect(plain.messages.findLast(([type]) => type === 100)).toEqual(frame(100, i + 1))
    }
    for (const { head } of heads) expect(head).toMatch(/^[0-9a-f]{64}$/)
    expect(new Set(heads.map(({ head }) => head)).size).toBe(3)
    expect(heads[2]!.seq - heads[0]!.seq).toBe(2)
    await Promise.all([plain.close(), keeper.close()])
  })

  it('[SYNC-4] holds an edit that comes before the state it builds on, and its barrier too', async () => {
    const room = await newRoom()
    const doc = new Y.Doc()
    const updates: Uint8Array[] = []
    doc.on('update', (update: Uint8Array) => updates.push(update))
    doc.getText('t').insert(0, 'offline')
    doc.getText('t').insert(7, '!')
    const client = await RawClient.open(urlOf(room))
    client.update(updates[1]!)
    let back = false
    const barrier = client.barrier().then(() => {
      back = true
    })
    const reader = await liveDoc(urlOf(room))
    expect(back).toBe(false)
    client.send(frame(0, 1, updates[0]!))
    await barrier
    await untilDoc(reader.doc, () => reader.doc.getText('t').toString() === 'offline!')
    await Promise.all([client.close(), reader.client.close()])
  })

  it('[SYNC-4] closes with 4409 a client whose update has a gap that nothing will fill', async () => {
    const doc = new Y.Doc()
    const updates: Uint8Array[] = []
    doc.on('update', (update: Uint8Array) => updates.push(update))
    for (const letter of 'abc') doc.getText('t').insert(0, letter)
    const client = await RawClient.open(urlOf(await newRoom()))
    client.send(frame(0, 1, new Uint8Array([0, 0])))
    client.update(updates[2]!)
    expect(await client.closed).toBe(4409)
  })

  it('[SYNC-6] [SYNC-12] cuts off a reader that takes nothing no later than it must, and never grows by it', async () => {
    // A process of its own, whose memory is nobody else's.
    const own = await startServer({ args: ['--limit', 'slow-reader-seconds=600'] })
    const url = `${own.sync}/default`
    const stalled = await RawClient.open(url)
    stalled.subscribe()
    await stalled.barrier()
    stalled.ws.pause()
    const writer = await liveDoc(url)
    const reader = await liveDoc(url)
    const resident = async () => {
      const metrics = await (await fetch(`${own.url}/metrics`)).text()
      return Number(/^clawlink_resident_bytes (\d+)/m.exec(metrics)?.[1]) / 1e6
    }
    const before = await resident()
    const block = randomBytes(150_000).toString('base64')
    for (let i = 0; i < 200; i++) {
      writer.doc.getMap('m').set('block', block)
      if (i % 10 === 9) await writer.client.barrier()
    }
    await reader.client.barrier()
    expect(reader.doc.getMap('m').get('block')).toBe(block)
    expect((await resident()) - before).toBeLessThan(200)
    // It catches up once it reads again, from the log, although the ring has long moved on.
    const caughtUp = new Y.Doc()
    stalled.onUpdate = (update) => Y.applyUpdate(caughtUp, update)
    stalled.ws.resume()
    await stalled.barrier()
    await until('it caught up', () => caughtUp.getMap('m').get('block') === block)
    await Promise.all([stalled.close(), writer.client.close(), reader.client.close()])
    await own.stop()
  })

  it('[SYNC-13] [SYNC-5] many updates of a commit reach many readers as one, and their writer not at all', async () => {
    const room = await newRoom()
    const readers = await Promise.all(Array.from({ length: 16 }, () => liveDoc(urlOf(room))))
    const writer = await RawClient.open(urlOf(room))
    writer.subscribe()
    await writer.barrier()
    const received = readers.map(({ client }) => client.messages.length)
    const own = writer.messages.length
    const doc = new Y.Doc()
    const updates: Uint8Array[] = []
    doc.on('update', (update: Uint8Array) => updates.push(update))
    for (let i = 0; i < 100; i++) {
      doc.getText('t').insert(i, `${i % 10}`)
      if (i % 10 === 9) doc.getText('t').delete(i - 5, 2)
      if (i % 10 === 9) doc.getText('t').insert(i - 5, 'ab')
    }
    const [socket, isUpdate] = [writer.ws, (bytes: Uint8Array) => bytes[0] === 0]
    // In one write, as a client sends them that was away.
    const { _socket: tcp } = socket as unknown as { _socket: Socket }
    tcp.cork()
    for (const update of updates) writer.update(update)
    tcp.uncork()
    await writer.barrier()
    const text = doc.getText('t').toString()
    for (const [i, reader] of readers.entries()) {
      await reader.client.barrier()
      expect(reader.doc.getText('t').toString()).toBe(text)
      const frames = reader.client.messages.slice(received[i]).filter(isUpdate).length
      expect(frames).toBeLessThan(updates.length / 4)
      await reader.client.close()
    }
    expect(writer.messages.slice(own).filter(isUpdate)).toEqual([])
    await writer.close()
  })

  it('[SPACE-1] [SPACE-4] walls off workspaces, and refuses names that are none', async () => {
    const a = await liveDoc(urlOf(await newRoom()))
    const b = await liveDoc(urlOf(await newRoom()))
    a.doc.getMap('m').set('k', 1)
    await a.client.barrier()
    await b.client.barrier()
    expect(b.doc.getMap('m').size).toBe(0)
    for (const path of ['sync/UPPER', 'sync/a%2Fb', 'sync/', 'sync/a/b', 'other', 'sync/..']) {
      const client = new RawClient(`ws://127.0.0.1:${server.port}/${path}`)
      expect(await client.closed, path).toBe(1006)
    }
    await Promise.all([a.client.close(), b.client.close()])
  })

  it('[SPACE-2] a new workspace has its meta before its first client is answered', async () => {
    const room = await newRoom()
    const client = stockClient(server.sync, room)
    await client.synced
    expect(client.doc.getMap('meta').toJSON()).toMatchObject({
      schemaVersion: 2,
      workspaceId: room,
    })
    client.close()
  })
})
