import { once } from 'node:events'
import { request } from 'node:http'
import { connect, createServer, type Socket } from 'node:net'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { WebsocketProvider } from 'y-websocket'
import * as Y from 'yjs'
import type { Role } from '../../../../protocol/roles.ts'
import { hashOf } from '../../../../sync-server/auth/stored/secrets.ts'
import { HeadSigner } from '../../../../sync-server/cluster/routing/signed-head.ts'
import { ask, bearer, invite, type Member, member } from '../../../support/auth/members.ts'
import { liveDoc, RawClient, until, untilDoc } from '../../../support/client.ts'
import { startNodes, type TestNode, type TestNodes } from '../../../support/cluster/nodes.ts'
import { Client1x } from '../../../support/http-agents/client-1x.ts'
import { httpToken } from '../../../support/http-agents/plain-client.ts'
import { fetch as asOwnerOf, ownPort } from '../../../support/server.ts'

/** Two nodes; the second one owns the workspace `docs`. */
let all: TestNodes
let front: TestNode
let owner: TestNode
let ann: Member
let admin: Member

/** The nodes find the workspace of a secret that one of them made. */
const known = <T extends string | Member>(secret: T): T => {
  all.cluster.secrets.set(hashOf(typeof secret === 'string' ? secret : secret.token), 'docs')
  return secret
}
/** Joins the workspace `docs` at its owner. */
const joined = async (agent: string, role: Role = 'write'): Promise<Member> => {
  const secret = known(await invite(owner, { workspace: 'docs', role }))
  const body = { invite: secret, agent_id: agent }
  const { data } = await ask<{ credential: string }>(owner, '/api/join', body)
  return known({ agent, token: data.credential, headers: bearer(data.credential) })
}
const beside = (title: string) => `${title}-${Math.random().toString(36).slice(2, 8)}`

beforeAll(async () => {
  all = await startNodes(2, '--limit', 'failures=3,address-connections=400')
  ;[front, owner] = all.nodes as [TestNode, TestNode]
  all.cluster.owners.set('docs', owner.id).set('default', front.id)
  ann = await joined('a-ann')
  admin = await joined('a-admin', 'admin')
})
afterAll(() => all.close())

/** A stock y-websocket client with a ticket in its URL, as in a browser. */
const stock = async (at: TestNode, who: Member) => {
  const { data } = await ask<{ ticket: string }>(at, '/api/ticket', {}, who.headers)
  const doc = new Y.Doc()
  const provider = new WebsocketProvider(at.sync, 'docs', doc, {
    disableBc: true,
    params: { ticket: data.ticket },
    WebSocketPolyfill: WebSocket as never,
  })
  await new Promise<void>((resolve) => provider.on('sync', () => resolve()))
  const close = (): void => {
    provider.destroy()
    provider.awareness.destroy()
  }
  return { doc, close }
}

it('[ROUTE-2] stock clients, links and plain HTTP reach a workspace by any node', async () => {
  const here = await stock(owner, ann)
  const there = await stock(front, ann)
  there.doc.getArray('x').push(['there'])
  await untilDoc(here.doc, () => here.doc.getArray('x').length === 1)
  here.doc.getArray('x').push(['here'])
  await untilDoc(there.doc, () => there.doc.getArray('x').length === 2)
  here.close()
  there.close()

  const raw = await RawClient.open(`${front.sync}/docs`, ann.headers)
  await raw.barrier()
  await raw.close()

  const secret = known(await invite(owner, { workspace: 'docs', uses: 2 }))
  const body = { invite: secret, agent_id: 'a-joiner' }
  const answer = await ask<{ credential: string }>(front, '/api/join', body)
  expect(answer.status).toBe(200)
  const proof = await ask<{ proof: string }>(
    front,
    `/api/prove?id=${hashOf(secret).slice(0, 16)}&nonce=${'n'.repeat(22)}`,
    undefined,
    ann.headers,
  )
  expect(proof.status).toBe(200)
  const { status } = await ask(front, '/api/workspaces/docs/agents', undefined, ann.headers)
  expect(status).toBe(200)
  const about = await ask<{ version: string }>(front, '/', undefined, ann.headers)
  expect(about.status).toBe('ok')
})

it('[ROUTE-2] 1.x clients reach a workspace by any node', async () => {
  const token = known(await httpToken(owner, { workspace: 'docs', http: 'old' }))
  const [a, b] = [front, owner].map((at) => new Client1x(`${at.url}/w/docs`, token)) as [
    Client1x,
    Client1x,
  ]
  await a.register(beside('a'))
  await b.register(beside('b'))
  await a.delegate(b.agentId!, 'do it')
  const [task] = await b.polls(1)
  await b.respond(a.agentId!, task.id, 'done')
  expect(await a.polls(1)).toMatchObject([{ type: 'task_response' }])
  await a.filePut('big.txt', 'x'.repeat(600_000))
  expect((await b.fileGet('big.txt')).content).toHaveLength(600_000)
  expect((await a.fileGet('big.txt')).content).toHaveLength(600_000)
  // A token without a workspace in the path belongs to the workspace that it is for, whose owner says so.
  const bare = new Client1x(front.url, token)
  await expect(bare.discover()).rejects.toThrow('403')
})

it('[ROUTE-2] answers keep their status, headers and early ends; uploads stream', async () => {
  const path = '/api/workspaces/docs/blobs'
  const bytes = Buffer.alloc(3_000_000, 'b')
  const { createHash } = await import('node:crypto')
  const name = createHash('sha256').update(bytes).digest('hex')
  const put = await fetch(`${front.url}${path}/${name}?size=${bytes.length}`, {
    ...{ method: 'PUT', body: bytes },
    headers: { ...ann.headers, 'content-length': String(bytes.length) },
  })
  expect([put.status, await put.text()]).toEqual([201, expect.any(String)])
  const got = await fetch(`${front.url}${path}/${name}`, { headers: ann.headers })
  expect(Buffer.from(await got.arrayBuffer()).equals(bytes)).toBe(true)
  const direct = await fetch(`${owner.url}${path}/${name}`, { headers: ann.headers })
  await direct.arrayBuffer()
  const shown = ({ headers }: Response) =>
    [...headers].filter(([one]) => !['date', 'connection', 'keep-alive'].includes(one))
  expect(shown(got)).toEqual(shown(direct))
  const heads = await Promise.all(
    [front, owner].map((at) =>
      fetch(`${at.url}${path}/${name}`, { method: 'HEAD', headers: ann.headers }),
    ),
  )
  expect(heads[0]!.status).toBe(200)
  expect(shown(heads[0]!)).toEqual(shown(heads[1]!))
  const large = await fetch(`${front.url}/w/docs/broadcast`, {
    ...{ method: 'POST', body: 'x'.repeat(4_000_000), headers: ann.headers },
  })
  expect(large.status).toBe(413)
  const wrong = await ask(front, '/api/workspaces/docs/nothing', undefined, ann.headers)
  expect([wrong.status, wrong.error?.code]).toEqual([404, 'unknown_route'])
})

it('[ROUTE-2] one connection serves requests for workspaces of different nodes', async () => {
  const mine = await member(front, beside('a-mine'))
  const socket = connect(front.port, '127.0.0.1')
  let got = ''
  socket.on('data', (chunk) => {
    got += chunk
  })
  const get = (workspace: string, { token }: Member) =>
    `GET /api/workspaces/${workspace}/agents HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\n\r\n`
  const answers = () => got.match(/HTTP\/1\.1 \d+/g) ?? []
  socket.write(get('docs', ann) + get('default', mine) + get('docs', ann))
  await until('all are answered', () => answers().length === 3)
  expect(new Set(answers())).toEqual(new Set(['HTTP/1.1 200']))
  socket.destroy()
})

it('[ROUTE-3] an owner counts the client’s own address, and not that of the node between them', async () => {
  const wrong = { authorization: `Bearer clc_${'x'.repeat(43)}` }
  const guess = (from: string) =>
    new Promise<number>((resolve, reject) => {
      const at = new URL(`${front.url}/api/workspaces/docs/agents`)
      request(at, { localAddress: from, headers: wrong, agent: false }, (answer) => {
        answer.resume()
        resolve(answer.statusCode!)
      })
        .on('error', reject)
        .end()
    })
  const statuses: number[] = []
  for (let i = 0; i < 6; i++) statuses.push(await guess('127.0.0.2'))
  expect(statuses.slice(0, 3)).toEqual([401, 401, 401])
  expect(statuses.at(-1)).toBe(429)
  expect(await guess('127.0.0.3')).toBe(401)
  // More connections than one address may have, by as many addresses, through one node.
  const clients = await Promise.all(
    Array.from({ length: 12 }, (_, i) => openFrom(front, `127.0.1.${i + 1}`, ann)),
  )
  for (const client of clients) client.destroy()
})

/** An upgraded connection from this address. */
const openFrom = async (at: TestNode, localAddress: string, { token }: Member): Promise<Socket> => {
  const asked = request(`${at.url}/sync/docs`, {
    ...{ localAddress, agent: false },
    headers: {
      ...{ connection: 'Upgrade', upgrade: 'websocket', authorization: `Bearer ${token}` },
      ...{ 'sec-websocket-version': '13', 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==' },
    },
  }).end()
  const [, socket] = (await once(asked, 'upgrade')) as [unknown, Socket]
  socket.on('error', () => {})
  return socket
}

it('[ROUTE-4] forged and repeated signatures are rejected, for requests and upgrades', async () => {
  const url = '/api/workspaces/docs/agents'
  const send = async (header: string) => {
    const headers = { ...ann.headers, 'clawlink-forwarded': header }
    const { status, error } = await ask(owner, url, undefined, headers)
    return error === undefined ? status : [status, error.code]
  }
  const signer = new HeadSigner(all.key, Date.now)
  const good = signer.sign({ method: 'GET', url }, owner.id, '192.0.2.1')
  expect(await send(good)).toBe(200)
  expect(await send(good)).toEqual([403, 'not_allowed'])
  expect(await send('1 2 3 4 192.0.2.1 forged')).toEqual([403, 'not_allowed'])
  const client = new RawClient(`${owner.sync}/docs`, {
    ...ann.headers,
    'clawlink-forwarded': 'rubbish',
  } as never)
  const [, { statusCode }] = await once(client.ws, 'unexpected-response')
  expect(statusCode).toBe(403)
})

it('[ROUTE-5] a revoked agent loses its forwarded connection within a second', async () => {
  const bob = await joined(beside('a-bob'))
  const raw = await RawClient.open(`${front.sync}/docs`, bob.headers)
  await raw.barrier()
  const started = performance.now()
  const revoked = await ask(front, '/api/admin/revoke', { which: bob.agent }, admin.headers)
  expect(revoked.status).toBe(200)
  expect(await raw.closed).toBe(4401)
  expect(performance.now() - started).toBeLessThan(1_000)
})

it('[ROUTE-6] nodes that disagree do not send a request round in circles', async () => {
  all.cluster.owners.set('lost', 'n1')
  const nobody = all.cluster.join('n9', owner.url)
  all.cluster.owners.set('lost', nobody.address.id)
  // The second node takes itself for n2, and n9 for another: whoever asks it gets a clear answer.
  const answer = await ask(front, '/api/workspaces/lost/agents', undefined, ann.headers)
  expect([answer.status, answer.error?.code]).toEqual([403, 'not_allowed'])
  all.cluster.fence('n9')
  const signer = new HeadSigner(all.key, Date.now)
  const url = '/api/workspaces/docs/agents'
  const header = signer.sign({ method: 'GET', url }, front.id, '192.0.2.1')
  const forwarded = await fetch(front.url + url, {
    headers: { ...ann.headers, 'clawlink-forwarded': header },
  })
  const { error } = (await forwarded.json()) as { error: { code: string; retryable: boolean } }
  expect([forwarded.status, error.code, error.retryable]).toEqual([503, 'moved', true])
  expect(forwarded.headers.get('retry-after')).toBe('1')
})

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
  expect(performance.now() - started).toBeLessThan(2_000)
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
  const flood = await standInFor('n5', (socket) => {
    socket.once('data', () => {
      socket.write(OPEN)
      const more = (): void => {
        while (socket.writable && sent < 256 * 2 ** 20) {
          sent += 2 ** 18
          if (!socket.write(Buffer.alloc(2 ** 18))) return void socket.once('drain', more)
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

it('[ROUTE-8] the largest head that a node takes reaches the owner; a larger one is refused', async () => {
  const send = async (bytes: number) => {
    const headers = { ...ann.headers, 'x-large': 'x'.repeat(bytes) }
    return (await fetch(`${front.url}/api/workspaces/docs/agents`, { headers })).status
  }
  expect(await send(15_500)).toBe(200)
  expect(await send(20_000)).toBe(431)
})

it('[ROUTE-2] edits through two nodes meet, and both see what is acknowledged', async () => {
  const a = await liveDoc(`${front.sync}/docs`, new Y.Doc(), ann.headers)
  const b = await liveDoc(`${owner.sync}/docs`, new Y.Doc(), ann.headers)
  for (let i = 0; i < 50; i++) {
    a.doc.getArray('both').push([i])
    b.doc.getArray('both').push([-i])
  }
  await Promise.all([a.client.barrier(), b.client.barrier()])
  await untilDoc(a.doc, () => a.doc.getArray('both').length === 100)
  await untilDoc(b.doc, () => b.doc.getArray('both').length === 100)
  expect(a.doc.getArray('both').toArray()).toEqual(b.doc.getArray('both').toArray())
  await a.client.close()
  await b.client.close()
})

it('[ROUTE-9] the metrics of a node tell what it forwards, what it owns, and how many nodes there are', async () => {
  const raw = await RawClient.open(`${front.sync}/docs`, ann.headers)
  const metrics = async (at: TestNode): Promise<string> =>
    (await asOwnerOf(`${at.url}/metrics`)).text()
  const shown = await metrics(front)
  expect(shown).toMatch(/^clawlink_forwarded_open 1$/m)
  expect(Number(/^clawlink_forwarded_total (\d+)$/m.exec(shown)?.[1])).toBeGreaterThan(10)
  expect(shown).toMatch(/^clawlink_nodes\{state="up"\} \d+$/m)
  expect(await metrics(owner)).toMatch(/^clawlink_node_workspaces 1$/m)
  await raw.close()
})
