import { once } from 'node:events'
import { request } from 'node:http'
import { connect, type Socket } from 'node:net'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { WebsocketProvider } from 'y-websocket'
import * as Y from 'yjs'
import { hashOf } from '../../../../sync-server/auth/stored/secrets.ts'
import { HeadSigner } from '../../../../sync-server/cluster/routing/signed-head.ts'
import { ask, invite, type Member, member } from '../../../support/auth/members.ts'
import { liveDoc, RawClient, until, untilDoc } from '../../../support/client.ts'
import type { TestNode, TestNodes } from '../../../support/cluster/nodes.ts'
import { type TwoNodes, twoNodes } from '../../../support/cluster/two-nodes.ts'
import { Client1x } from '../../../support/http-agents/client-1x.ts'
import { httpToken } from '../../../support/http-agents/plain-client.ts'
import { fetch as asOwnerOf } from '../../../support/server.ts'

let all: TestNodes
let front: TestNode
let owner: TestNode
let ann: Member
let admin: Member
let known: TwoNodes['known']
let joined: TwoNodes['joined']
const beside = (title: string) => `${title}-${Math.random().toString(36).slice(2, 8)}`

beforeAll(async () => {
  const limits = ['--limit', 'failures=3,address-connections=400']
  ;({ all, front, owner, ann, known, joined } = await twoNodes(...limits))
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

it('[ROUTE-5] a revoked agent loses its forwarded connection at once, an idle one too', async () => {
  const bob = await joined(beside('a-bob'))
  const raw = await RawClient.open(`${front.sync}/docs`, bob.headers)
  await raw.barrier()
  const revoked = await ask(front, '/api/admin/revoke', { which: bob.agent }, admin.headers)
  expect(revoked.status).toBe(200)
  // Nothing is sent over it, so this comes of the revocation alone.
  expect(await raw.closed).toBe(4401)
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
  // Those of the tests before are closing.
  await until('it is the only one', async () =>
    /^clawlink_forwarded_open 1$/m.test(await metrics(front)),
  )
  const shown = await metrics(front)
  expect(Number(/^clawlink_forwarded_total (\d+)$/m.exec(shown)?.[1])).toBeGreaterThan(10)
  expect(shown).toMatch(/^clawlink_nodes\{state="up"\} \d+$/m)
  expect(await metrics(owner)).toMatch(/^clawlink_node_workspaces 1$/m)
  await raw.close()
})
