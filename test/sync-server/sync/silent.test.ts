import { once } from 'node:events'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import * as Y from 'yjs'
import { frame, RawClient, stockClient, until } from '../../support/client.ts'
import { asOwner, type Server, startServer } from '../../support/server.ts'

let server: Server
beforeAll(async () => {
  server = await startServer({ args: ['--heartbeat', '0.6'] })
})
afterAll(() => server.stop())

/** Awareness of one client. */
const state = (client: number, json: string) =>
  frame(1, new Uint8Array([...frame(1, client, 1, new TextEncoder().encode(json))]))

it('[PRESENCE-4] a connection from which nothing comes over two heartbeats is cut, and its state goes', async () => {
  const watcher = stockClient(server.sync)
  await watcher.synced
  const { awareness } = watcher.provider
  const silent = new WebSocket(`${server.sync}/default`, {
    autoPong: false,
    headers: asOwner(server.url),
  })
  const closed = once(silent, 'close')
  await once(silent, 'open')
  silent.send(state(77, '{"name":"silent"}'))
  await until('it is seen', () => awareness.getStates().has(77))
  expect((await closed)[0]).toBe(1006)
  await until('it is gone', () => !awareness.getStates().has(77))
  expect(watcher.provider.wsconnected).toBe(true)
  watcher.close()
})

it('[PRESENCE-4] [PRESENCE-8] whoever sends or answers anything stays: also while a message takes long, and after the server stood still', async () => {
  const client = await RawClient.open(`${server.sync}/default`)
  let pings = 0
  client.ws.on('ping', () => pings++)
  await until('it was asked', () => pings > 0)
  const stopped = Date.now()
  server.process.kill('SIGSTOP')
  await until('the server stood still over three heartbeats', () => Date.now() > stopped + 2_000)
  server.process.kill('SIGCONT')
  await until('it was asked often', () => pings >= 5)
  expect(client.ws.readyState).toBe(WebSocket.OPEN)

  const slow = new WebSocket(`${server.sync}/default`, {
    autoPong: false,
    headers: asOwner(server.url),
  })
  await once(slow, 'open')
  const doc = new Y.Doc()
  doc.getArray('list').push(['slow'])
  const update = frame(0, 2, Y.encodeStateAsUpdate(doc))
  for (const [i] of update.entries()) {
    slow.send(update.subarray(i, i + 1), { fin: i === update.length - 1 })
    if (i < 6) await once(slow, 'ping')
  }
  const reader = stockClient(server.sync)
  await until('it came', () => reader.doc.getArray('list').length === 1)
  expect(slow.readyState).toBe(WebSocket.OPEN)
  slow.close()
  reader.close()
  await client.close()
})
