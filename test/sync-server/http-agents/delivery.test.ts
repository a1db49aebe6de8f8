import { connect } from 'node:net'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { ask } from '../../support/auth/members.ts'
import { until } from '../../support/client.ts'
import {
  httpToken,
  Plain,
  type PlainMessage,
  polled,
} from '../../support/http-agents/plain-client.ts'
import { startHere } from '../../support/in-process.ts'
import { type ServerAt, startServer } from '../../support/server.ts'

let server: ServerAt
let secret: string
let httpAgent: Plain
beforeAll(async () => {
  server = await startHere({ args: ['--limit', 'failures=1000000'] })
  secret = await httpToken(server)
  httpAgent = new Plain(server.url, secret)
})
afterAll(() => server.stop())

/** Registers, and reads what a newcomer is told. */
const newcomer = async (id: string): Promise<string> => {
  await httpAgent.post('/register', { agent_id: id, name: id })
  await httpAgent.poll(id)
  await acknowledged(id)
  return id
}
/** Nothing waits for it, and nothing is on its way. */
const acknowledged = (id: string, at = server) =>
  until(`all of ${id} is read`, async () => {
    const { data } = await ask<{ messages: object[]; handed_out: number }>(
      at,
      `/api/workspaces/default/inbox?by=${id}`,
    )
    return data.messages.length + data.handed_out === 0
  })

const said = (from: string, content: string, more: Record<string, string> = {}) =>
  httpAgent.post('/broadcast', { from_agent: from, content, reset_trace: true }, more)
const contents = (messages: readonly PlainMessage[]): string[] =>
  messages.flatMap(({ content }) => (content === undefined ? [] : [content as string]))

it('[HTTP-5] a poll that broke off midway is handed out again, and what was read is not', async () => {
  const me = await newcomer('p-reader')
  const teller = await newcomer('p-teller')
  const all = Array.from({ length: 12 }, (_, i) => `${i} ${'x'.repeat(60_000)}`)
  for (const one of all) await said(teller, one)
  // A client that dies once it has read a little.
  await new Promise<void>((resolve) => {
    const socket = connect(server.port, '127.0.0.1', () => {
      socket.write(`GET /poll/${me} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${secret}\r\n\r\n`)
    })
    socket.once('data', () => socket.destroy())
    socket.once('close', () => resolve())
  })
  const again = await polled(httpAgent, me, (got) => contents(got).length >= all.length)
  expect(contents(again)).toEqual(all)
  await acknowledged(me)
  expect((await httpAgent.get(`/poll/${me}`)).messages).toEqual([])
})

it('[HTTP-5] what one poll hands out, another at the same time does not', async () => {
  const me = await newcomer('p-twice')
  const teller = await newcomer('p-twice-teller')
  for (let i = 0; i < 5; i++) await said(teller, `one of five ${i}`)
  const polls = await Promise.all(Array.from({ length: 6 }, () => httpAgent.get(`/poll/${me}`)))
  const got = contents(polls.flatMap(({ messages }) => messages as PlainMessage[]))
  expect(got.sort()).toEqual([0, 1, 2, 3, 4].map((i) => `one of five ${i}`))
})

/** A client with a WebSocket, as its library makes it. */
class Client {
  readonly ws: WebSocket
  readonly got: PlainMessage[] = []
  readonly closed: Promise<number>

  constructor(agent: string, at = server, token = secret, autoPong = true) {
    const url = `${at.url.replace('http', 'ws')}/ws/${agent}?token=${token}`
    this.ws = new WebSocket(url, { autoPong })
    this.ws.on('message', (data) => this.got.push(JSON.parse(String(data)) as PlainMessage))
    this.ws.on('error', () => {})
    this.closed = new Promise((resolve) => this.ws.once('close', resolve))
  }

  async open(): Promise<this> {
    await until('it is open', () => this.ws.readyState === WebSocket.OPEN)
    return this
  }

  send(frame: object | string): void {
    this.ws.send(typeof frame === 'string' ? frame : JSON.stringify(frame))
  }

  async answer(type: string): Promise<PlainMessage> {
    await until(`${type} comes`, () => this.got.some((one) => one.type === type))
    const at = this.got.findIndex((one) => one.type === type)
    return this.got.splice(at, 1)[0]!
  }
}

it('[HTTP-6] a WebSocket takes heartbeat, delegate, broadcast, and gets each message once', async () => {
  const [b, a] = [await newcomer('s-b'), await newcomer('s-a')]
  const client = await new Client(b).open()
  client.send({ type: 'heartbeat' })
  expect(await client.answer('heartbeat_ack')).toMatchObject({ status: 'ok', agent_id: b })
  client.send({ type: 'delegate', to_agent: a, task: 'by socket', priority: 'high' })
  const delegated = await client.answer('delegated')
  expect(delegated).toMatchObject({ status: 'delegated', delivery: 'queued' })
  client.send({ type: 'broadcast', from_agent: b, content: 'by socket', tags: null })
  expect(await client.answer('broadcast_sent')).toMatchObject({ status: 'broadcast_sent' })
  const got = await polled(httpAgent, a, (all) => all.length >= 2)
  expect(got.map(({ type }) => type).sort()).toEqual(['knowledge_broadcast', 'task_delegation'])

  // What is wrong is said, and the connection stays.
  for (const [frame, code] of [
    ['{"type":', 'bad_json'],
    ['[]', 'usage'],
    [{ type: 'dance' }, 'usage'],
    [{ type: 'broadcast' }, 'usage'],
    [{ type: 'broadcast', from_agent: a, content: 'x' }, 'forged'],
    [{ type: 'delegate', to_agent: 's-aa', task: 'x' }, 'unknown_agent'],
  ] as const) {
    client.send(frame)
    expect(await client.answer('error')).toMatchObject({ code, hint: expect.any(String) })
  }
  await said(a, 'still there')
  expect(await client.answer('knowledge_broadcast')).toMatchObject({ content: 'still there' })
  // While it is connected it is here, and polls get nothing of what it got.
  expect((await httpAgent.get(`/poll/${b}`)).messages).toEqual([])
  client.ws.close()
  await client.closed
  expect(contents(client.got)).toEqual([])
})

it('[HTTP-6] over reconnects and beside polls nothing comes twice, and nothing is lost', async () => {
  const [teller, me] = [await newcomer('r-teller'), await newcomer('r-me')]
  const got: string[] = []
  const mayRepeat = new Set<string>()
  let sent = 0
  for (let round = 0; round < 6; round++) {
    const telling = (async () => {
      for (let i = 0; i < 4; i++) await said(teller, `${sent++}`)
    })()
    const client = await new Client(me).open()
    const polling = httpAgent.get(`/poll/${me}`)
    const isCut = round % 3 === 2
    await telling
    if (!isCut) await acknowledged(me)
    else await until('it has some', () => client.got.length > 0)
    if (round % 2 === 0) client.ws.terminate()
    else client.ws.close()
    await client.closed
    const here = contents(client.got)
    // What was cut off in the midst of it may not have been answered for.
    if (isCut) for (const one of here) mayRepeat.add(one)
    got.push(...here, ...contents((await polling).messages))
  }
  await until('all have come', async () => {
    got.push(...contents((await httpAgent.get(`/poll/${me}`)).messages))
    return new Set(got).size === sent
  })
  const twice = got.filter((one, i) => got.indexOf(one) !== i)
  expect(twice.filter((one) => !mayRepeat.has(one))).toEqual([])
})

it('[HTTP-6] [HTTP-24] [HTTP-31] what is not answered for comes again; a second WebSocket takes the place of the first', async () => {
  const [teller, me] = [await newcomer('u-teller'), await newcomer('u-me')]
  const deaf = await new Client(me, server, secret, false).open()
  await said(teller, 'do you hear me?')
  expect(contents([await deaf.answer('knowledge_broadcast')])).toEqual(['do you hear me?'])
  // Under way: nobody else gets it, not even by a poll.
  expect((await httpAgent.get(`/poll/${me}`)).messages).toEqual([])
  const second = await new Client(me).open()
  expect(await deaf.closed).toBe(4410)
  expect(contents([await second.answer('knowledge_broadcast')])).toEqual(['do you hear me?'])
  await acknowledged(me)
  second.ws.close()
  await second.closed
})

it('[HTTP-14] a WebSocket ends with its token, and is refused to strangers', async () => {
  const made = await ask<{ invite: string; secret: string }>(server, '/api/admin/invite', {
    ...{ workspace: 'default', http: '' },
  })
  const short = new Plain(server.url, made.data.secret)
  await short.post('/register', { agent_id: 'e-me', name: 'e' })
  const client = await new Client('e-me', server, made.data.secret).open()
  await ask(server, '/api/admin/revoke', { which: made.data.invite })
  expect(await client.closed).toBe(4401)
  const refused = (agent: string, token: string) =>
    new Promise((resolve) => {
      const { ws } = new Client(agent, server, token)
      ws.once('unexpected-response', (_request, { statusCode }) => resolve(statusCode))
    })
  expect(await refused('e-me', made.data.secret)).toBe(401)
  expect(await refused('e-me', secret)).toBe(403)
  expect(await refused('e-none', secret)).toBe(404)
  expect(await refused('p-reader', await httpToken(server, { role: 'read' }))).toBe(403)
})

it('[HTTP-7] kill -9 of the server loses nothing of what it said was done, and doubles nothing', async () => {
  let mine = await startServer()
  const { data, port } = mine
  const token = await httpToken(mine)
  let one = new Plain(mine.url, token)
  for (const id of ['k-a', 'k-b']) await one.post('/register', { agent_id: id, name: id })
  await one.get('/poll/k-b')
  const wanted: string[] = []
  const got: string[] = []
  for (let round = 0; round < 3; round++) {
    const writes = Array.from({ length: 6 }, async (_, i) => {
      const content = `round ${round}, ${i}`
      wanted.push(content)
      // As a client does that got no answer: again, under the same key.
      const body = { from_agent: 'k-a', content, reset_trace: true }
      const headers = { 'idempotency-key': content }
      await until('it is taken', async () => {
        const answer = await one.post('/broadcast', body, headers).catch(() => null) // the server is away
        return answer?.http === 200
      })
    })
    await Promise.race(writes)
    await mine.kill()
    mine = await startServer({ data, port })
    one = new Plain(mine.url, token)
    await Promise.all(writes)
    await until('all have come', async () => {
      const { messages } = await one.poll('k-b')
      got.push(...contents(messages))
      return got.length >= wanted.length
    })
    // What it has read is read for good.
    await acknowledged('k-b', mine)
  }
  expect(got.sort()).toEqual(wanted.sort())
  expect((await one.get('/poll/k-b')).messages).toEqual([])
  await mine.stop()
})

it('[HTTP-9] a write repeated under its key is answered again and done once', async () => {
  const [a, b] = [await newcomer('i-a'), await newcomer('i-b')]
  const key = { 'idempotency-key': 'the same' }
  const body = { from_agent: a, to_agent: b, task: 'once' }
  const first = await httpAgent.post('/delegate', body, key)
  expect(await httpAgent.post('/delegate', body, key)).toEqual(first)
  const other = await httpAgent.post('/delegate', { ...body, task: 'twice' }, key)
  expect(other).toMatchObject({ http: 409, code: 'key_reused' })
  const got = await polled(httpAgent, b, (all) => all.length > 0)
  expect(got).toHaveLength(1)
  // Another agent's key is another key.
  expect((await httpAgent.post('/broadcast', { from_agent: b, content: 'x' }, key)).http).toBe(200)
})

it('[HTTP-10] who waits does not hold up a server that stops', async () => {
  const mine = await startHere()
  const token = await httpToken(mine)
  const one = new Plain(mine.url, token)
  await one.post('/register', { agent_id: 'x', name: 'x' })
  await one.get('/poll/x')
  const client = await new Client('x', mine, token).open()
  const waiting = one.get('/poll/x?wait=60')
  client.send({ type: 'heartbeat' })
  await client.answer('heartbeat_ack')
  expect(await mine.stop()).toBe(0)
  expect(await client.closed).toBe(1001)
  // It is answered; what holds a server up is cut off, and fails.
  expect(await waiting).toMatchObject({ http: 200, messages: [] })
})
