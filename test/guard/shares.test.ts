import { afterAll, beforeAll, expect, it } from 'vitest'
import * as Y from 'yjs'
import { member } from '../access/members.ts'
import { liveDoc, RawClient, until, untilDoc } from '../support/client.ts'
import { fetch, type Server, startServer } from '../support/server.ts'

let server: Server
beforeAll(async () => {
  server = await startServer({
    args: ['--limit', 'work=10,slow-reader-seconds=1', '--heartbeat', '2.5'],
  })
})
afterAll(() => server.stop())

/** How many connections the server closed with this code. */
const closedWith = async (code: number): Promise<number> => {
  const text = await (await fetch(`${server.url}/metrics`)).text()
  return Number(new RegExp(`closes_total\\{code="${code}"\\} (\\d+)`).exec(text)?.[1] ?? 0)
}

it('[Z27] a reader that takes nothing is cut off (4408); who writes and reads beside it is not', async () => {
  const { headers } = await member(server, 'a-slow00000001')
  const slow = await RawClient.open(`${server.sync}/default`, headers)
  slow.subscribe()
  await slow.barrier()
  slow.ws.pause()
  // A sign of life: it is there, and only takes nothing.
  const alive = setInterval(() => slow.ws.ping(), 50)
  const [writer, reader] = [
    await liveDoc(`${server.sync}/default`),
    await liveDoc(`${server.sync}/default`),
  ]
  // More than the kernel takes on a connection's behalf.
  const text = writer.doc.getText('large')
  for (let i = 0; i < 24; i++) text.insert(0, 'x'.repeat(1_000_000))
  await writer.client.barrier()
  await until('it is cut off', async () => (await closedWith(4408)) === 1)
  clearInterval(alive)
  slow.ws.resume()
  await slow.closed

  await untilDoc(reader.doc, () => reader.doc.getText('large').length === text.length)
  text.insert(0, 'still here')
  await untilDoc(reader.doc, () => reader.doc.getText('large').length === text.length)
  expect(await closedWith(4408)).toBe(1)
  await Promise.all([writer.client.close(), reader.client.close()])
})

it('[Z19] who sends what takes the server long is read more slowly than who may; others are not', async () => {
  const [ann, bob] = [
    await member(server, 'a-ann000000001'),
    await member(server, 'a-bob000000001'),
  ]
  const updates: Uint8Array[] = []
  const doc = new Y.Doc()
  doc.on('update', (update: Uint8Array) => updates.push(update))
  const list = doc.getArray('list')
  for (let i = 0; i < 100; i++) {
    doc.transact(() => {
      for (let n = 0; n < 4_000; n++) list.insert(0, [n])
    })
  }
  const send = async (workspace: string, headers?: Record<string, string>) => {
    const client = await RawClient.open(`${server.sync}/${workspace}`, headers)
    for (const update of updates) client.update(update)
    return { client, done: client.barrier() }
  }
  let isDone = false
  const slow = await send('default', ann.headers)
  void slow.done.then(() => {
    isDone = true
  })
  const other = await RawClient.open(`${server.sync}/default`, bob.headers)
  for (let i = 0; i < 20; i++) await other.barrier()
  // The same of the owner, who has no such limit.
  const free = await send('other')
  await free.done
  await other.barrier()
  expect(isDone).toBe(false)
  slow.client.ws.terminate()
  await Promise.all([other.close(), free.client.close()])
})
