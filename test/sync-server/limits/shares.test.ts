import { afterAll, beforeAll, expect, it } from 'vitest'
import * as Y from 'yjs'
import { member } from '../../support/auth/members.ts'
import { liveDoc, RawClient, until, untilDoc } from '../../support/client.ts'
import { startHere } from '../../support/in-process.ts'
import { crumbs } from '../../support/limits/attacks.ts'
import { fetch, type ServerAt } from '../../support/server.ts'

let server: ServerAt
beforeAll(async () => {
  server = await startHere({ args: ['--limit', 'work=10,bytes=500000'] })
})
afterAll(() => server.stop())

/** How many connections a server closed with this code. */
const closedWith = async (code: number, { url }: ServerAt = server): Promise<number> => {
  const text = await (await fetch(`${url}/metrics`)).text()
  return Number(new RegExp(`closes_total\\{code="${code}"\\} (\\d+)`).exec(text)?.[1] ?? 0)
}

it('[LIM-27] [SYNC-12] a reader that takes nothing is cut off (4408); who writes and reads beside it is not', async () => {
  const args = ['--limit', 'work=10,bytes=500000,slow-reader-seconds=1', '--heartbeat', '2.5']
  const strict = await startHere({ args })
  const { headers } = await member(strict, 'a-slow00000001')
  const slow = await RawClient.open(`${strict.sync}/default`, headers)
  slow.subscribe()
  await slow.barrier()
  slow.ws.pause()
  // A sign of life: it is there, and only takes nothing. `ws` ends a connection with too many pongs that wait.
  const alive = setInterval(() => slow.ws.ping(), 800)
  const [writer, reader] = [
    await liveDoc(`${strict.sync}/default`),
    await liveDoc(`${strict.sync}/default`),
  ]
  // More than the kernel takes on a connection's behalf.
  const text = writer.doc.getText('large')
  for (let i = 0; i < 24; i++) text.insert(0, 'x'.repeat(1_000_000))
  await writer.client.barrier()
  await until('it is cut off', async () => (await closedWith(4408, strict)) === 1)
  clearInterval(alive)
  slow.ws.resume()
  await slow.closed

  await untilDoc(reader.doc, () => reader.doc.getText('large').length === text.length)
  text.insert(0, 'still here')
  await untilDoc(reader.doc, () => reader.doc.getText('large').length === text.length)
  expect(await closedWith(4408, strict)).toBe(1)
  await Promise.all([writer.client.close(), reader.client.close()])
  await strict.stop()
})

it('[LIM-19] who sends what takes the server long is read more slowly than who may; others are not', async () => {
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

it('[LIM-36] a large update yields to others who are busy, from its start', async () => {
  const { headers } = await member(server, 'a-large0000001')
  const client = await RawClient.open(`${server.sync}/default`, headers)
  const other = await RawClient.open(`${server.sync}/default`)
  const began = performance.now()
  client.update(crumbs(100_000))
  let isDone = false
  void client.barrier().then(() => {
    isDone = true
  })
  while (!isDone && performance.now() - began < 1_000) await other.barrier()
  // At full speed it is a tenth of a second.
  expect(isDone).toBe(false)
  client.ws.terminate()
  await other.close()
})

it('[LIM-36] what an agent owes it owes on its next connection, too', async () => {
  const { headers } = await member(server, 'a-owes00000001')
  const first = await RawClient.open(`${server.sync}/default`, headers)
  const began = performance.now()
  first.send(Buffer.alloc(1_500_000, 255)) // at once it may send 1,000,000, then 500,000 per second
  await until('it is refused', async () => (await closedWith(4400)) === 1)
  first.ws.terminate()
  const again = await RawClient.open(`${server.sync}/default`, headers)
  await again.barrier()
  expect(performance.now() - began).toBeGreaterThan(500)
  await again.close()
})
