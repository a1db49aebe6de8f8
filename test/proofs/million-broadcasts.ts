// Sends N broadcasts (default 1,000,000) through a real server, by WRITERS (default 20) who take turns with BATCH
// (default 1) of them, and shows that its live document stays small and its log complete:
//   npm run proof -- broadcasts [N] [BATCH] [WRITERS]
import { strictEqual } from 'node:assert'
import * as Y from 'yjs'
import type { AgentId, BroadcastId } from '../../protocol/ids.ts'
import { addBroadcast } from '../../workspace/messages/broadcasts.ts'
import { frame, RawClient, until } from '../support/client.ts'
import { fetch, startServer } from '../support/server.ts'
import { walkLog } from '../support/sync-server/history.ts'

const total = Number(process.argv[2] ?? 1_000_000)
const batch = Number(process.argv[3] ?? 1)
const writers = Number(process.argv[4] ?? 20)
/** Broadcasts that may be on their way to the disk, unless one update has more (count). */
const WINDOW = 400
const MARKS = [...[10_000, 100_000].filter((mark) => mark < total), total]

const server = await startServer({ args: ['--log-level', 'error'] })
const url = `${server.sync}/default`

/** What all writers see, as if each saw at once what the others send; each has a client id and a socket of its own. */
const doc = new Y.Doc()
const clients = await Promise.all(Array.from({ length: writers }, () => RawClient.open(url)))
const [first] = clients
first!.onUpdate = (update) => Y.applyUpdate(doc, update, 'server')
first!.send(frame(0, 0, Y.encodeStateVector(doc)))
for (const client of clients) client.send(frame(0, 1, new Uint8Array([0, 0])))
await first!.barrier()
const ids = clients.map((_, i) => 1_000_000_000 + i)
let sending = first!
doc.on('update', (update: Uint8Array, origin: unknown) => {
  if (origin !== 'server') sending.update(update)
})

const say = (n: number, writer: number) =>
  addBroadcast(doc, {
    id: `m-${n}` as BroadcastId,
    from: `a-${writer}` as AgentId,
    topic: n % 100 === 0 ? 'rare' : 'general',
    tags: [],
    content: `what agent ${writer} learned, number ${n}`,
    now: Date.now(),
  })
const stored = () => Promise.all(clients.map((client) => client.barrier()))

/** The size of the document as a newcomer would get it, and its live broadcasts. */
const liveSize = async (): Promise<[number, number]> => {
  const copy = new Y.Doc()
  const client = await RawClient.open(url)
  client.onUpdate = (update) => Y.applyUpdate(copy, update)
  client.subscribe()
  await client.barrier()
  await until('it has something', () => copy.getMap('meta').size > 0)
  await client.close()
  return [Y.encodeStateAsUpdate(copy).length, copy.getArray('broadcasts').length]
}

/** Milliseconds that the newest page takes, the median of 21. */
const newestPage = async (): Promise<number> => {
  const times: number[] = []
  for (let i = 0; i < 21; i++) {
    const began = performance.now()
    const answer = await fetch(`${server.url}/api/workspaces/default/log`)
    strictEqual(((await answer.json()) as { data: { more: boolean } }).data.more, true)
    times.push(performance.now() - began)
  }
  return times.sort((a, b) => a - b)[10]!
}

console.log(`${total} broadcasts, ${batch} an update, ${writers} writers in turn`)
console.log('broadcasts | live | document, bytes | newest page, ms | written/s')
const began = performance.now()
let measuring = 0
let written = 0
let onTheirWay = 0
for (let turn = 0; written < total; turn++) {
  const writer = turn % writers
  sending = clients[writer]!
  doc.clientID = ids[writer]!
  const mark = MARKS.find((mark) => mark > written)!
  const end = Math.min(written + batch, mark)
  onTheirWay += end - written
  doc.transact(() => {
    while (written < end) say(written++, writer)
  })
  // A writer's first update builds on another's, which comes by another socket: the server has to have that one first.
  if (turn <= writers || written === mark || onTheirWay >= WINDOW) {
    await stored()
    onTheirWay = 0
  }
  if (written < mark) continue
  const seconds = (performance.now() - began - measuring) / 1000
  const from = performance.now()
  const [bytes, live] = await liveSize()
  strictEqual(live <= 2_000 + Math.max(batch, WINDOW), true, `${live} live broadcasts`)
  const row = [written, live, bytes, (await newestPage()).toFixed(1), Math.round(written / seconds)]
  console.log(row.join(' | '))
  measuring += performance.now() - from
}

const walking = performance.now()
const log = await walkLog(server.url, 'default', 'since=2000-01-01&limit=500')
strictEqual(log.length, total)
for (const [n, id] of log.entries()) strictEqual(id, `m-${n}`)
console.log(
  `the log has all ${log.length}, in order, read in ${((performance.now() - walking) / 1000).toFixed(1)} s`,
)
const rare = await walkLog(server.url, 'default', 'since=2000-01-01&limit=500&topic=rare')
strictEqual(rare.length, Math.ceil(total / 100))
console.log(`by topic: all ${rare.length}`)
for (const client of clients) await client.close()
strictEqual(server.log(), '')
await server.stop()
