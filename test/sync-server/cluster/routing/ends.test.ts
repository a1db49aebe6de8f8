import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { ask, type Member } from '../../../support/auth/members.ts'
import { RawClient, until } from '../../../support/client.ts'
import type { TestNode, TestNodes } from '../../../support/cluster/nodes.ts'
import { twoNodes } from '../../../support/cluster/two-nodes.ts'
import { ownPort } from '../../../support/server.ts'

let all: TestNodes
let front: TestNode
let owner: TestNode
let ann: Member

beforeAll(async () => {
  ;({ all, front, owner, ann } = await twoNodes())
})
afterAll(() => all.close())

/** A node that accepts connections and does what a test says. */
const standInFor = async (id: string, serve: (socket: Socket) => void) => {
  const port = await ownPort()
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {}).on('close', () => sockets.delete(socket))
    serve(socket)
  }).listen(port, '127.0.0.1')
  await once(server, 'listening')
  all.cluster.join(id, `http://127.0.0.1:${port}`)
  return {
    sockets,
    close: () => {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}
const OPEN = 'HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n'
/** Accepts upgrades, answers nothing else, and sends nothing. */
const openUpgrades = (socket: Socket) =>
  socket.once('data', (head) => head.includes('Upgrade') && socket.write(OPEN)).resume()

it('[ROUTE-7] clients of a node that is gone are cut off at once, also silent ones', async () => {
  const hung = await standInFor('n3', openUpgrades)
  all.cluster.owners.set('hung', 'n3')
  const socket = await openUpgrade(front, 'hung')
  const closed = closeOf(socket)
  const waiting = fetch(`${front.url}/w/hung/register`, { method: 'POST', body: '{}' })
  await until('both are forwarded', () => hung.sockets.size === 2)
  const started = performance.now()
  all.cluster.fence('n3')
  await closed
  await expect(waiting).rejects.toThrow('fetch failed')
  // At once, and not with a heartbeat.
  expect(performance.now() - started).toBeLessThan(15_000)
  hung.close()
})

const closeOf = (socket: Socket): Promise<void> =>
  new Promise((resolve) => socket.once('close', () => resolve()))

const openUpgrade = async (at: TestNode, workspace: string): Promise<Socket> => {
  const socket = connect(at.port, '127.0.0.1')
  socket.on('error', () => {})
  socket.write(
    `GET /sync/${workspace} HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n`,
  )
  const [first] = (await once(socket, 'data')) as [Buffer]
  expect(first.toString()).toMatch(/^HTTP\/1\.1 101/)
  return socket
}

it('[ROUTE-7] a request whose owner is dead waits for the next owner, and is sent once', async () => {
  all.cluster.join('n4', `http://127.0.0.1:${await ownPort()}`)
  all.cluster.owners.set('docs', 'n4')
  const asked = ask(front, '/api/workspaces/docs/agents', undefined, ann.headers)
  const opening = RawClient.open(`${front.sync}/docs`, ann.headers)
  const posted = ask(front, '/api/ticket', {}, ann.headers)
  setTimeout(() => all.cluster.owners.set('docs', owner.id), 500)
  expect((await asked).status).toBe(200)
  expect((await posted).error).toBeUndefined()
  const raw = await opening
  await raw.barrier()
  await raw.close()
  all.cluster.fence('n4')
})

it('[ROUTE-8] a slow reader slows its node down, and nothing between them fills up', async () => {
  let sent = 0
  const block = Buffer.alloc(2 ** 18)
  const flood = await standInFor('n5', (socket) => {
    socket.once('data', () => {
      socket.write(OPEN)
      const more = (): void => {
        while (socket.writable && sent < 256 * 2 ** 20) {
          sent += 2 ** 18
          if (!socket.write(block)) return void socket.once('drain', more)
        }
      }
      more()
    })
  })
  all.cluster.owners.set('flood', 'n5')
  const before = process.memoryUsage().arrayBuffers
  const socket = await openUpgrade(front, 'flood')
  socket.pause()
  let last = -1
  await until('it has stopped', async () => {
    if (sent === last) return true
    last = sent
    await new Promise((next) => setTimeout(next, 200))
    return false
  })
  expect(sent).toBeLessThan(64 * 2 ** 20)
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(16 * 2 ** 20)
  socket.resume()
  await until('it goes on', () => sent > last)
  socket.destroy()
  await until('the node sees that', () => flood.sockets.size === 0)
  flood.close()
})

it('[ROUTE-8] when one side ends or breaks, so does the other', async () => {
  const peer = await standInFor('n6', openUpgrades)
  all.cluster.owners.set('ends', 'n6')
  for (const end of ['end', 'destroy', 'resetAndDestroy'] as const) {
    const client = await openUpgrade(front, 'ends')
    client[end]()
    await until(`the node sees ${end}`, () => peer.sockets.size === 0)
    const other = await openUpgrade(front, 'ends')
    const closed = closeOf(other)
    for (const socket of peer.sockets) socket[end]()
    await closed
  }
  // A request that its client gives up is given up at the owner.
  const gone = new AbortController()
  const asked = fetch(`${front.url}/w/ends/discover`, { signal: gone.signal })
  await until('it is there', () => peer.sockets.size === 1)
  gone.abort()
  await expect(asked).rejects.toThrow()
  await until('it is gone', () => peer.sockets.size === 0)
  peer.close()
})
