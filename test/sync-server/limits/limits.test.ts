import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import * as Y from 'yjs'
import { LIMITS as ALL } from '../../../sync-server/config/quotas.ts'
import { ask, bearer, type Member, member } from '../../support/auth/members.ts'
import { frame, liveDoc, RawClient, until } from '../../support/client.ts'
import { startHere } from '../../support/in-process.ts'
import { asOwner, fetch, root, type ServerAt } from '../../support/server.ts'

const LIMITS =
  'address-connections=40,agent-connections=3,messages=50,failures=5,awareness=20,offences=3,handshakes=2'
let server: ServerAt
beforeAll(async () => {
  server = await startHere({ args: ['--limit', LIMITS, '--log-level', 'error'] })
})
afterAll(() => server.stop())

/** A connection as a member; resolves to the socket, or the status it is refused with. */
const dial = ({ headers }: Pick<Member, 'headers'>) => dialAt(`${server.sync}/default`, headers)

const dialAt = async (url: string, headers = asOwner(url)): Promise<WebSocket | number> => {
  const ws = new WebSocket(url, { headers })
  const refused = new Promise<number>((resolve) => {
    ws.on('unexpected-response', (_request, answer) => resolve(answer.statusCode ?? 0))
    ws.on('error', () => {})
  })
  const open = once(ws, 'open').then(() => ws)
  open.catch(() => {})
  return Promise.race([open, refused])
}

const end = async (sockets: readonly (WebSocket | number)[]): Promise<void> => {
  await Promise.all(
    sockets.map(async (ws) => {
      if (typeof ws === 'number') return
      const closed = once(ws, 'close')
      ws.terminate()
      await closed
    }),
  )
}

it('[LIM-17] [LIM-48] a valid credential passes where wrong ones have to wait', async () => {
  const ann = await member(server, 'a-ann000000001')
  const wrong = bearer(`clc_${'x'.repeat(43)}`)
  const codes: (string | undefined)[] = []
  for (let i = 0; i < 8; i++) {
    codes.push((await ask(server, '/api/workspaces/default/log', undefined, wrong)).error?.code)
  }
  expect(codes.slice(0, 5)).toEqual(Array.from({ length: 5 }, () => 'unauthorized'))
  expect(codes.at(-1)).toBe('too_many')
  const newcomer = { invite: `cli_${'y'.repeat(43)}`, agent_id: 'a-new000000001' }
  const told = await ask(server, '/api/join', newcomer, { authorization: '' })
  expect([told.error?.code, told.error?.message]).toEqual([
    'too_many',
    expect.stringContaining('the invite is not known here'),
  ])
  expect(await dial({ headers: wrong })).toBe(429)
  const log = await ask(
    server,
    `/api/workspaces/default/log?for=${ann.agent}`,
    undefined,
    ann.headers,
  )
  expect(log.status).toBe(200)
  const mine = await dial(ann)
  expect(mine).toBeInstanceOf(WebSocket)
  await end([mine])
})

it('[LIM-17] [LIM-49] a credential that was revoked or replaced, and an invite that is used up, are no guesses', async () => {
  const own = await startHere()
  const cyd = await member(own, 'a-cyd000000001')
  await ask(own, '/api/admin/revoke', { which: cyd.agent })
  const dan = await member(own, 'a-dan000000001')
  const rotated = await ask<{ secret: string }>(own, '/api/admin/rotate', { which: dan.agent })
  const anew = { invite: rotated.data.secret, agent_id: dan.agent }
  expect((await ask(own, '/api/join', anew)).status).toBe(200)
  for (let i = 0; i < 20; i++) {
    for (const { headers } of [cyd, dan]) {
      const { error } = await ask(own, '/api/workspaces/default/agents', undefined, headers)
      expect(error?.code).toBe('revoked')
    }
    const late = { ...anew, credential: `clc_${'z'.repeat(43)}` }
    const used = await ask(own, '/api/join', late, { authorization: '' })
    expect(used.error).toMatchObject({
      code: 'unauthorized',
      message: expect.stringMatching(/used/),
    })
  }
  await own.stop()
})

it('[LIM-18] [LIM-50] beyond its connections an agent, or an address, is refused; others come in', async () => {
  const [bob, cat] = [
    await member(server, 'a-bob000000001'),
    await member(server, 'a-cat000000001'),
  ]
  const bobs = [await dial(bob), await dial(bob), await dial(bob), await dial(bob)]
  expect(bobs.map((ws) => typeof ws)).toEqual(['object', 'object', 'object', 'number'])
  expect(bobs[3]).toBe(429)
  const cats = await dial(cat)
  expect(typeof cats).toBe('object')
  await end([...bobs, cats])
  let again: WebSocket | number = 429
  await until('there is room again', async () => {
    again = await dial(bob)
    return typeof again === 'object'
  })
  await end([again])
})

it('[LIM-26] who sends what is refused again and again, or connects again and again, has to wait', async () => {
  const dan = await member(server, 'a-dan000000001')
  const codes: number[] = []
  for (let i = 0; i < 3; i++) {
    const client = await RawClient.open(`${server.sync}/default`, dan.headers)
    client.send(frame(9))
    codes.push(await client.closed)
  }
  expect(codes).toEqual([4400, 4400, 4400])
  expect(await dial(dan)).toBe(429)
  const large = await member(server, 'a-large0000001')
  const client = await RawClient.open(`${server.sync}/default`, large.headers)
  client.send(Buffer.alloc(2 * 1024 * 1024, 255))
  expect(await client.closed).toBe(4400)
  expect(await dial(large)).toBe(429) // all of it was taken in: 2 MiB count twice more
  const larger = await member(server, 'a-larger000001')
  const sent = await RawClient.open(`${server.sync}/default`, larger.headers)
  sent.ws.send(new Uint8Array(16 * 1024 * 1024 + 1))
  // Nothing of it is taken in, but it comes all the same.
  await until('it counts as what was taken in', async () => {
    const { error } = await ask(server, '/api/workspaces/default/log', undefined, larger.headers)
    return error?.message.endsWith('a-larger000001 of default') === true
  })
  expect(await sent.closed).toBe(1009)
  const eva = await member(server, 'a-eva000000001')
  let opened = 0
  for (let ws = await dial(eva); typeof ws !== 'number'; ws = await dial(eva)) {
    // On a busy machine some are paid for meanwhile.
    if (++opened > 200) throw new Error('it never had to wait')
    await end([ws])
  }
  expect(opened).toBeGreaterThanOrEqual(20)
  const honest = await RawClient.open(`${server.sync}/default`)
  await honest.barrier()
  await honest.close()
})

it('[LIM-18] [LIM-50] 2,000 connections that ask for nothing do not keep an honest one out', async () => {
  const honest = await RawClient.open(`${server.sync}/default`)
  const idle: Socket[] = []
  const gone = new Set<unknown>()
  // As many at a time as the kernel lets wait; more would only be dropped there, and come again later.
  for (let round = 0; round < 10; round++) {
    const these = Array.from({ length: 200 }, () => connect(server.port, '127.0.0.1'))
    for (const socket of these) {
      socket.on('error', () => {})
      socket.on('close', () => gone.add(socket))
    }
    idle.push(...these)
    // 80 may wait with nothing asked: twice what an address may have.
    await until('the others are cut', () => idle.length - gone.size <= 80)
  }
  await honest.barrier()
  for (const socket of idle) socket.destroy()
  await until('all are gone', () => gone.size === idle.length)
  const other = await RawClient.open(`${server.sync}/default`)
  await other.barrier()
  await Promise.all([honest.close(), other.close()])
})

it('[NET-23] no browser makes a page of what is answered, or keeps it', async () => {
  const { headers } = await fetch(`${server.url}/`)
  expect(headers.get('content-security-policy')).toContain("default-src 'none'")
  expect(headers.get('x-content-type-options')).toBe('nosniff')
  expect(headers.get('referrer-policy')).toBe('no-referrer')
})

it('[LIM-19] who floods is read at its pace, loses nothing, and holds nobody up', async () => {
  const flooder = await member(server, 'a-flood0000001')
  const client = await RawClient.open(`${server.sync}/default`, flooder.headers)
  const other = await RawClient.open(`${server.sync}/default`)
  const doc = new Y.Doc()
  doc.on('update', (update: Uint8Array) => client.update(update))
  const text = doc.getText('file:flood.txt')
  client.send(frame(0, 1, Y.encodeStateAsUpdate(doc)))
  const began = performance.now()
  // 50 a second, 500 at once: the rest takes 2 s. Each fills a good part of what is read at a time.
  for (let i = 0; i < 600; i++) text.insert(0, 'x'.repeat(20_000))
  let isDone = false
  const done = client.barrier().then(() => {
    isDone = true
  })
  let answered = 0
  while (!isDone) {
    await other.barrier()
    if (!isDone) answered++
    await new Promise((next) => setTimeout(next, 20))
  }
  await done
  expect(performance.now() - began).toBeGreaterThan(1_500)
  expect(answered).toBeGreaterThan(5)
  const { doc: there, client: reader } = await liveDoc(`${server.sync}/default`)
  expect(there.getText('file:flood.txt').length).toBe(600 * 20_000)
  await Promise.all([client.close(), other.close(), reader.close()])
})

describe('[LIM-27] sizes and times', () => {
  const SMALL =
    'frame=200000,body=1000,awareness-bytes=100,document=100000,client-ids=2,workspaces=3,rooms=2,invites=5,handshake-seconds=1,request-seconds=2,slow-reader-seconds=1'
  let small: ServerAt
  beforeAll(async () => {
    const args = ['--limit', SMALL, '--heartbeat', '0.3', '--log-level', 'error']
    small = await startHere({ args })
  })
  afterAll(() => small.stop())

  it('[LIM-27] a request that comes drop by drop is cut off, and one that never comes', async () => {
    const slow = connect(small.port, '127.0.0.1')
    const silent = connect(small.port, '127.0.0.1')
    for (const socket of [slow, silent]) socket.resume().on('error', () => {})
    slow.write('GET / HTTP/1.1\r\nhost: x\r\n')
    const timer = setInterval(() => slow.write('x: y\r\n'), 200)
    await Promise.all(
      [slow, silent].map((socket) => new Promise((gone) => socket.on('close', gone))),
    )
    clearInterval(timer)
  })

  it('[LIM-27] a message, an awareness state and a body are refused beyond their sizes', async () => {
    const large = await RawClient.open(`${small.sync}/default`)
    large.send(new Uint8Array(200_001))
    expect(await large.closed).toBe(1009)
    const loud = await RawClient.open(`${small.sync}/default`)
    const json = new TextEncoder().encode(JSON.stringify({ note: 'x'.repeat(100) }))
    loud.send(frame(1, frame(1, 5, 1, json)))
    expect(await loud.closed).toBe(4413)
    const body = { workspace: 'x'.repeat(1_000) }
    expect((await ask(small, '/api/admin/invite', body)).status).toBe(413)
  })

  it('[LIM-27] an agent does not fill the workspace with Yjs client ids', async () => {
    const { headers } = await member(small, 'a-many00000001')
    const codes: (number | null)[] = []
    for (let i = 0; i < 3; i++) {
      const client = await RawClient.open(`${small.sync}/default`, headers)
      const doc = new Y.Doc()
      doc.getText('file:ids.txt').insert(0, 'x')
      client.update(Y.encodeStateAsUpdate(doc))
      codes.push(await Promise.race([client.barrier().then(() => null), client.closed]))
      client.ws.terminate()
    }
    expect(codes).toEqual([null, null, 4413])
  })

  it('[LIM-27] [LIM-51] a document that is full takes deletions only, and is read on', async () => {
    const { client, doc } = await liveDoc(`${small.sync}/default`)
    const text = doc.getText('file:full.txt')
    text.insert(0, 'x'.repeat(110_000))
    await client.barrier()
    const closed = client.closed
    text.insert(0, 'y')
    expect(await closed).toBe(4414)
    const reader = await liveDoc(`${small.sync}/default`)
    const there = reader.doc.getText('file:full.txt')
    expect(there.length).toBe(110_000)
    there.delete(0, 100_000)
    await reader.client.barrier()
    await until('there is room again', async () => {
      const again = await RawClient.open(`${small.sync}/default`, undefined)
      const doc = new Y.Doc()
      doc.getText('file:more.txt').insert(0, 'z')
      again.update(Y.encodeStateAsUpdate(doc))
      const isIn = await Promise.race([
        again.barrier().then(() => true),
        again.closed.then(() => false),
      ])
      again.ws.terminate()
      return isIn
    })
    await reader.client.close()
  })

  it('[LIM-27] workspaces, those in memory and invites are bounded (429, 507)', async () => {
    const codeOf = async (workspace: string) => {
      const { error } = await ask(small, '/api/admin/add', { workspace })
      if (error !== undefined) return error.code
      return (await ask(small, `/api/workspaces/${workspace}/log`)).error?.code ?? null
    }
    expect(await codeOf('second')).toBe(null)
    expect(await codeOf('third')).toBe('too_many')
    expect(await dialAt(`${small.sync}/third`)).toBe(429)
    const codes: (string | null)[] = []
    for (let i = 0; i < 5; i++) {
      codes.push((await ask(small, '/api/admin/invite', {})).error?.code ?? null)
    }
    expect(codes).toEqual([null, null, null, null, 'quota'])
  })
})

it('[LIM-27] docs/OPERATIONS.md has every limit, as it is', () => {
  const page = readFileSync(join(root, 'docs/OPERATIONS.md'), 'utf8')
  const rows = [...page.matchAll(/^\| `([a-z-]+)` \| ([\d,]+) \| (.+) \|$/gm)]
  expect(rows.map(([, name, is, what]) => [name, Number(is?.replaceAll(',', '')), what])).toEqual(
    Object.entries(ALL).map(([name, { is, what }]) => [name, is, what]),
  )
})
