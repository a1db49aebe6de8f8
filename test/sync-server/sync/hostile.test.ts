import { connect } from 'node:net'
import { afterAll, beforeAll, expect, it } from 'vitest'
import * as Y from 'yjs'
import { frame, liveDoc, RawClient, runSeed, seeded, until } from '../../support/client.ts'
import { fetch, type Server, startServer } from '../../support/server.ts'

let server: Server
beforeAll(async () => {
  server = await startServer({ args: ['--log-level', 'fatal'] })
})
afterAll(() => server.stop())

const FRAMES = 10_000
const NAMED = new Set([1002, 1007, 1009, 4400, 4409, 4413, 4422])

/** Valid frames of every kind, to be broken. */
const samples = (): Uint8Array[] => {
  const doc = new Y.Doc()
  const updates: Uint8Array[] = []
  doc.on('update', (update: Uint8Array) => updates.push(update))
  doc.getText('t').insert(0, 'some text 🦀')
  doc.getMap('m').set('k', { deep: [1, 2, { x: null }] })
  doc.getArray('a').push([new Y.Map([['n', 1]]), 'x', 4.5, new Uint8Array(20)])
  doc.getText('t').delete(2, 4)
  doc.getText('t').format(0, 2, { bold: true })
  doc.getXmlFragment('x').insert(0, [new Y.XmlElement('p')])
  const json = new TextEncoder().encode('{"agent":{"id":"a","name":"n"}}')
  const awareness = frame(1, doc.clientID, 1, json)
  return [
    ...updates.map((update) => frame(0, 2, update)),
    frame(0, 1, Y.encodeStateAsUpdate(doc)),
    frame(0, 2, Y.encodeStateAsUpdateV2(doc)),
    frame(0, 0, Y.encodeStateVector(doc)),
    frame(1, awareness),
    frame(3),
    frame(100, 7),
    frame(2, json),
  ]
}

/** One frame broken in one of the ways that bytes break. */
const mutate = (random: () => number, frames: readonly Uint8Array[]): Uint8Array => {
  const pick = (n: number) => Math.floor(random() * n)
  const whole = frames[pick(frames.length)]!
  const bytes = new Uint8Array(whole)
  switch (pick(6)) {
    case 0:
      return bytes.slice(0, pick(bytes.length + 1))
    case 1: {
      for (let n = 1 + pick(4); n > 0; n--) bytes[pick(bytes.length)] = pick(256)
      return bytes
    }
    case 2: {
      const more = Array.from({ length: 1 + pick(20) }, () => pick(256))
      return new Uint8Array([...bytes, ...more])
    }
    case 3:
      return new Uint8Array(Array.from({ length: pick(40) }, () => pick(256)))
    case 4: {
      const at = pick(bytes.length)
      return new Uint8Array([...bytes.slice(0, at), 255, 255, 255, 255, 127, ...bytes.slice(at)])
    }
    default: {
      const [from, to] = [pick(bytes.length), pick(bytes.length)]
      return new Uint8Array([...bytes.slice(0, from), ...bytes.slice(to)])
    }
  }
}

it(`[SYNC-3] survives ${FRAMES} broken frames: the offender gets a named close code, others see nothing`, async () => {
  const random = seeded(runSeed('hostile frames'))
  const honest = await liveDoc(`${server.sync}/hostile`)
  const watcher = await liveDoc(`${server.sync}/hostile`)
  const frames = samples()
  const codes = new Map<number, number>()
  let sent = 0
  let edits = 0
  const attack = async () => {
    while (sent < FRAMES) {
      const client = await RawClient.open(`${server.sync}/hostile`)
      // Frames that happen to stay valid are taken; the connection lives until one is refused.
      for (let n = 0; n < 20 && sent < FRAMES; n++, sent++) client.send(mutate(random, frames))
      client.ws.close()
      const code = await client.closed
      if (code !== 1005) codes.set(code, (codes.get(code) ?? 0) + 1)
    }
  }
  const edit = async () => {
    while (sent < FRAMES) {
      honest.doc.getArray('honest').push([edits++])
      await honest.client.barrier()
      await watcher.client.barrier()
    }
  }
  await Promise.all([attack(), attack(), attack(), attack(), edit()])
  expect([...codes.keys()].filter((code) => !NAMED.has(code))).toEqual([])
  expect([...codes.values()].reduce((a, b) => a + b)).toBeGreaterThan(FRAMES / 40)
  expect(edits).toBeGreaterThan(20)

  await honest.client.barrier()
  await watcher.client.barrier()
  const list = Array.from({ length: edits }, (_, i) => i)
  expect(watcher.doc.getArray('honest').toArray()).toEqual(list)
  expect(watcher.doc.store.pendingStructs).toBe(null)
  expect(honest.client.ws.readyState).toBe(1)
  // What was stored is sound: a fresh server reads it again.
  const { data } = server
  await server.kill()
  server = await startServer({ data, args: ['--log-level', 'fatal'] })
  const fresh = await liveDoc(`${server.sync}/hostile`)
  await until('all is there', () => fresh.doc.getArray('honest').length === edits)
  expect((await fetch(`${server.url}/health`)).status).toBe(200)
})

it('[SYNC-3] closes a connection that sends text, an oversized message or broken WebSocket data', async () => {
  const text = await RawClient.open(`${server.sync}/w`)
  text.ws.send('hello')
  expect(await text.closed).toBe(4400)

  const large = await RawClient.open(`${server.sync}/w`)
  large.ws.send(new Uint8Array(16 * 1024 * 1024 + 1))
  expect(await large.closed).toBe(1009)

  const fat = await RawClient.open(`${server.sync}/w`)
  const json = new TextEncoder().encode(JSON.stringify('x'.repeat(9000)))
  fat.send(frame(1, frame(1, 5, 1, json)))
  expect(await fat.closed).toBe(4413)

  // 4 to 14 bytes that are no WebSocket frame killed every reference server.
  const upgrade =
    'GET /sync/w HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n' +
    'sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n' +
    `authorization: Bearer ${server.token}\r\n\r\n`
  for (const bytes of [
    [0xff, 0xff, 0, 0],
    [0x83, 0x80, 0, 0, 0, 0],
    [0xc2, 0x82, 1, 2, 3, 4, 5, 6],
  ]) {
    const socket = connect(server.port, '127.0.0.1')
    socket.on('error', () => {})
    socket.write(upgrade)
    await new Promise((resolve) => socket.once('data', resolve))
    socket.write(new Uint8Array(bytes))
    await new Promise((resolve) => socket.once('close', resolve))
  }
  expect((await fetch(`${server.url}/health`)).status).toBe(200)
})

it('[SYNC-4] an update whose operations are causally gapped costs nothing and goes nowhere', async () => {
  const client = await RawClient.open(`${server.sync}/gaps`)
  client.send(frame(0, 1, new Uint8Array([0, 0])))
  const doc = new Y.Doc()
  const updates: Uint8Array[] = []
  doc.on('update', (update: Uint8Array) => updates.push(update))
  for (let i = 0; i < 5_000; i++) doc.getText('t').insert(0, 'x')
  for (let i = 4_999; i > 0; i -= 2) client.update(updates[i]!)
  expect(await client.closed).toBe(4409)
  expect((await fetch(`${server.url}/health`)).status).toBe(200)
})

it('[SYNC-7] a reader that asks for everything again and again and never reads costs one answer', async () => {
  const writer = await liveDoc(`${server.sync}/asks`)
  writer.doc.getText('t').insert(0, 'x'.repeat(3_000_000))
  await writer.client.barrier()
  const rss = async () =>
    Number(
      /^clawlink_resident_bytes (\d+)/m.exec(
        await (await fetch(`${server.url}/metrics`)).text(),
      )?.[1],
    )
  const before = await rss()
  const reader = await RawClient.open(`${server.sync}/asks`)
  reader.ws.pause()
  for (let i = 0; i < 4_000; i++)
    reader.send(frame(0, 0, i % 2 ? new Uint8Array([0]) : frame(1, 9, 9)))
  await writer.client.barrier()
  writer.doc.getText('t').insert(0, 'y')
  await writer.client.barrier()
  expect(((await rss()) - before) / 1e6).toBeLessThan(150)
  reader.ws.terminate()
  await writer.client.close()
})

it('[STATUS-2] answers broken HTTP with 4xx and the error’s code', async () => {
  const path = '/api/workspaces/default/tasks/t-1/status'
  const valid = { by: 'a', state: 'completed', message: '', key: 'k' }
  const cases: [string, RequestInit & { path?: string }, number, string][] = [
    ['not JSON', { method: 'POST', body: '{"by":' }, 400, 'bad_json'],
    ['empty', { method: 'POST', body: '' }, 400, 'bad_json'],
    ['array', { method: 'POST', body: '[]' }, 400, 'usage'],
    ['unknown field', { method: 'POST', body: JSON.stringify({ ...valid, x: 1 }) }, 400, 'usage'],
    [
      'no state',
      { method: 'POST', body: JSON.stringify({ ...valid, state: undefined }) },
      400,
      'usage',
    ],
    [
      'bad state',
      { method: 'POST', body: JSON.stringify({ ...valid, state: 'done' }) },
      400,
      'bad_status',
    ],
    ['unknown task', { method: 'POST', body: JSON.stringify(valid) }, 404, 'unknown_task'],
    ['2 MB', { method: 'POST', body: 'x'.repeat(2_000_000) }, 413, 'too_large'],
    [
      'bad workspace',
      { method: 'POST', body: '{}', path: '/api/workspaces/NO/tasks/t/status' },
      400,
      'bad_name',
    ],
    ['GET', { method: 'GET' }, 404, 'unknown_route'],
    ['elsewhere', { method: 'GET', path: '/etc/passwd' }, 404, 'unknown_route'],
  ]
  for (const [name, { path: other, ...init }, status, code] of cases) {
    const answer = await fetch(`${server.url}${other ?? path}`, init)
    expect(answer.status, name).toBe(status)
    // Outside /api/ the code stands beside 1.x's text of the error.
    const body = (await answer.json()) as { ok: boolean; code?: string; error: { code: string } }
    expect(body.code ?? body.error.code, name).toBe(code)
    expect(body.ok).toBe(false)
  }
  const random = seeded(runSeed('hostile bodies'))
  const text = JSON.stringify(valid)
  for (let i = 0; i < 200; i++) {
    const bytes = Uint8Array.from(Buffer.from(text))
    for (let n = 0; n < 4; n++)
      bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256)
    const answer = await fetch(`${server.url}${path}`, { method: 'POST', body: bytes })
    expect(answer.status).toBeGreaterThanOrEqual(400)
    expect(answer.status).toBeLessThan(500)
  }
})
