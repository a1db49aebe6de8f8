import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { Client1x, HttpError } from '../../support/http-agents/client-1x.ts'
import { MINUTE_MS, passUntilNobody } from '../../support/http-agents/clock.ts'
import { httpToken } from '../../support/http-agents/plain-client.ts'
import { serveHere } from '../../support/in-process.ts'

/** ClawLink 1.x's own clients, unchanged, with one token for all. */
let server: Awaited<ReturnType<typeof serveHere>>
let token: string
beforeAll(async () => {
  // The clock goes on by itself, and can be moved.
  vi.useFakeTimers({ toFake: ['Date'], shouldAdvanceTime: true })
  server = await serveHere('--limit', 'requests=100000')
  token = await httpToken(server)
})
afterAll(async () => {
  await server.close()
  vi.useRealTimers()
})

const agent = async (name: string, machine?: string): Promise<Client1x> => {
  const client = new Client1x(server.url, token)
  await client.register(name, [], machine)
  return client
}

/** What an error says on 1.x's command line. */
const said = (asked: Promise<unknown>): Promise<string> =>
  asked.then(
    () => 'done',
    (error: HttpError) => error.message,
  )

it('[HTTP-15] 1.x’s fields have 1.x’s types', async () => {
  const text = expect.any(String)
  const number = expect.any(Number)
  const [a, b] = [new Client1x(server.url, token), new Client1x(server.url, token)]
  const shown = (name: string) => ({
    ...{ agent_id: expect.stringMatching(/^[0-9a-f]{8}$/), name, capabilities: ['x'] },
    ...{ machine: 'm', description: '', registered_at: text, status: 'online' },
    last_heartbeat: number,
  })
  // Who is nobody yet, as the 1.x client asks before it has registered.
  expect(await a.call('GET', 'poll/None')).toMatchObject({ messages: [], count: 0 })
  expect(await a.call('GET', 'poll/no%20id')).toMatchObject({ messages: [], count: 0 })
  expect(await a.call('POST', 'heartbeat', { agent_id: 'None' })).toEqual({
    status: 'unknown_agent',
  })
  const before = Math.floor(Date.now() / 1_000)
  const registered = await a.register('shape-a', ['x'], 'm')
  expect(registered).toMatchObject({ status: 'registered', agent: shown('shape-a') })
  expect(registered.agent.last_heartbeat).toBeGreaterThanOrEqual(before)
  expect(registered.agent.last_heartbeat).toBeLessThanOrEqual(Date.now() / 1_000)
  await b.register('shape-b', ['x'], 'm')
  expect(await a.poll(), 'nothing that 1.x did not hand out').toEqual([])
  expect(await a.discover()).toMatchObject([shown('shape-a'), shown('shape-b')])
  expect(await a.heartbeat()).toMatchObject({ status: 'ok' })
  const [from, to] = [a.agentId!, b.agentId!]

  const sent = { message_id: text, delivery: 'queued' }
  expect(await a.delegate(to, 't')).toEqual({ status: 'delegated', ...sent })
  const bare = {
    from_agent: from,
    to_agent: to,
    task: { of: 'any', kind: [1] },
    priority: 'Critical',
  }
  expect(await a.call('POST', 'delegate', bare)).toMatchObject({ status: 'delegated' })
  expect(await a.broadcast(['any', 'kind'])).toMatchObject({ status: 'broadcast_sent' })
  const common = { message_id: text, from_agent: from, timestamp: text, queued_at: text }
  const mail = [
    { ...common, type: 'task_delegation', task: 't', context: {}, priority: 'normal' },
    { ...common, task: '{"of":"any","kind":[1]}', context: {}, priority: 'urgent' },
    { ...common, type: 'knowledge_broadcast', content: '["any","kind"]', topic: 'general' },
  ]
  const came = await b.polls(3)
  for (const one of mail) expect(came).toContainEqual(expect.objectContaining(one))
  expect(await b.poll()).toEqual([])

  expect(await a.filePut('shape.md', 'one\n', 'markdown')).toMatchObject({
    ...{ status: 'saved', version: 1 },
  })
  const put = { file_key: 'shape.md', last_editor: from, version: 1 }
  const file = { ...put, file_type: 'text', updated_at: text }
  expect(await b.fileGet('shape.md')).toMatchObject({ ...file, content: 'one\n' })
  expect(await b.fileList()).toMatchObject([file])
  expect(await b.polls(1)).toMatchObject([{ ...put, type: 'file_updated' }])

  const info = { service: text, version: text, server_time: text, note: text, auth_required: true }
  const counts = { agents_online: 2, total_broadcasts: 1, shared_files: 1 }
  const endpoints = expect.objectContaining({ register: 'POST /register', websocket: text })
  expect(await a.info()).toMatchObject({ ...info, ...counts, endpoints })
  expect(await new Client1x(server.url, null).info()).toMatchObject({ ...info, endpoints })
  expect(await new Client1x(server.url, null).info()).not.toHaveProperty('shared_files')
})

it('[HTTP-16] an error is a text in 1.x’s routes, and its HTTP reason, which is all that its clients show', async () => {
  const a = await agent('errs')
  const missing = await a.fileGet('none.md').catch((error: HttpError) => error)
  expect(missing).toBeInstanceOf(HttpError)
  expect(missing.message).toMatch(/^404 Client Error: no file "?none\.md"?.* for url: http/)
  const body = JSON.parse(missing.body)
  expect(body).toMatchObject({ ok: false, code: 'unknown_file', error: expect.any(String) })
  expect(body.error).toContain(body.message)
  // What cannot stand in a header does not break it.
  expect(await said(a.delegate('nobody\r\nX: é中', 't'))).toMatch(/^404 Client Error: no agent/)
})

describe('answers without an id', () => {
  it('[HTTP-17] an id that is no task’s, or none, stands for the only open task of who is answered', async () => {
    const [lead, worker] = [await agent('lead'), await agent('worker')]
    await lead.delegate(worker.agentId!, 'first')
    await worker.polls(1)
    // Of another: it is not meant.
    const other = await agent('other')
    await other.delegate(worker.agentId!, 'of another')
    await worker.polls(1)
    await worker.respond(lead.agentId!, 'msg-abc123', 'half', 'in progress')
    await worker.respond(lead.agentId!, '', 'all', 'done')
    expect(await lead.polls(2)).toMatchObject([
      { type: 'task_response', result: 'half', status: 'in_progress' },
      { type: 'task_response', result: 'all', status: 'completed' },
    ])
    // By name, and without a result.
    await other.call('POST', 'respond', { from_agent: worker.agentId, to_agent: 'other' })
    expect(await other.polls(1)).toMatchObject([{ result: '', status: 'completed' }])
    expect(await said(worker.respond(lead.agentId!, 'msg-abc123', 'more'))).toMatch(
      /^404 Client Error: task "msg-abc123" does not exist, and no open task of \w+ is yours/,
    )
  })

  it('[HTTP-17] [HTTP-29] where several can be meant their ids are told; what was not polled is not meant', async () => {
    const [lead, worker] = [await agent('lead-2'), await agent('worker-2')]
    const { message_id: one } = await lead.delegate(worker.agentId!, 'one')
    const { message_id: two } = await lead.delegate(worker.agentId!, 'two')
    await worker.polls(2)
    const told = await said(worker.respond(lead.agentId!, 'msg-abc123', 'x'))
    expect(told).toMatch(/^400 Client Error: 2 open tasks are yours/)
    for (const shown of [`${one} (one)`, `${two} (two)`]) expect(told).toContain(shown)
    await worker.respond(lead.agentId!, one, 'x')
    // Messages of one millisecond have no order.
    vi.setSystemTime(Date.now() + 1_000)
    await lead.delegate(worker.agentId!, 'not polled')
    await worker.respond(lead.agentId!, 'msg-abc123', 'y')
    const responses = (await lead.polls(2)).filter(({ type }) => type === 'task_response')
    expect(responses).toMatchObject([
      { message_id: one, result: 'x' },
      { message_id: two, result: 'y' },
    ])
  })

  it.each([
    ['success', 'completed', 'r'],
    ['ERROR', 'failed', 'r'],
    ['blocked', 'input-required', 'r'],
    ['partial', 'in_progress', 'r'],
    ['submitted', 'in_progress', 'r'],
    ['cancelled', 'failed', 'r'],
    ['declined', 'rejected', 'r'],
    ['looks odd to me', 'in_progress', '[looks odd to me] r'],
  ])('[HTTP-18] the status "%s" is %s', async (word, status, result) => {
    const [lead, worker] = [await agent('lead-3'), await agent('worker-3')]
    const { message_id } = await lead.delegate(worker.agentId!, 't')
    await worker.polls(1)
    await worker.respond(lead.agentId!, message_id, 'r', word)
    const [answer] = await lead.polls(1)
    expect(answer).toMatchObject({ type: 'task_response', result, status, message_id })
    expect(answer.response_id).not.toBe(message_id)
  })
})

/** More than are remembered of who is heard (64), and five times the answers that a chain may have (16). */
const TASKS = 80

it('[HTTP-19] a coordinator that hands out 80 tasks one after the other is no storm', async () => {
  const [lead, worker] = [await agent('lead-4'), await agent('worker-4')]
  for (let i = 1; i <= TASKS; i++) {
    await lead.delegate(worker.agentId!, `task ${i}`)
    const [task] = await worker.polls(1)
    expect(task.task).toBe(`task ${i}`)
    await worker.respond(task.from_agent, task.message_id, `result ${i}`)
    expect(await lead.polls(1)).toMatchObject([{ result: `result ${i}`, status: 'completed' }])
  }
}, 300_000)

describe('files of several agents with one token', () => {
  it('[HTTP-20] a put that takes back what another wrote takes it back', async () => {
    const [a, b] = [await agent('file-a'), await agent('file-b')]
    await a.filePut('k', 'one\ntwo\n')
    await b.fileGet('k')
    await b.filePut('k', 'one\ntwo\nthree\n')
    await a.fileGet('k')
    await a.filePut('k', 'one\nX\ntwo\nthree\n')
    expect((await b.fileGet('k')).content).toContain('X')
    await b.filePut('k', 'one\ntwo\nthree\n')
    expect((await a.fileGet('k')).content).toBe('one\ntwo\nthree\n')
  })

  it('[HTTP-20] who sets a line to and fro after each other', async () => {
    const [a, b] = [await agent('flip-a'), await agent('flip-b')]
    const words = ['open', 'done', 'open', 'done', 'reviewed', 'open']
    await a.filePut('status', 'status: new\n')
    for (const [i, word] of words.entries()) {
      const who = i % 2 === 0 ? b : a
      await who.fileGet('status')
      await who.filePut('status', `status: ${word}\n`)
      expect((await who.fileGet('status')).content).toBe(`status: ${word}\n`)
    }
  })

  it('[HTTP-8] an edit of what it put itself keeps what another read and changed meanwhile', async () => {
    const [a, b] = [await agent('keep-a'), await agent('keep-b')]
    await b.filePut('notes', 'one\ntwo\nthree\n')
    await a.fileGet('notes')
    await a.filePut('notes', 'one\nby a, between\ntwo\nthree\n')
    await a.fileGet('notes')
    // b has not read since, and goes on from its own text.
    await b.filePut('notes', 'one\ntwo\nthree\nfour\n')
    expect((await b.fileGet('notes')).content).toBe('one\nby a, between\ntwo\nthree\nfour\n')
    // Both read, both change something else.
    const [of_a, of_b] = [(await a.fileGet('notes')).content, (await b.fileGet('notes')).content]
    await a.filePut('notes', of_a.replace('one', 'ONE'))
    await b.filePut('notes', of_b.replace('four', 'FOUR'))
    expect((await a.fileGet('notes')).content).toBe('ONE\nby a, between\ntwo\nthree\nFOUR\n')
  })
})

it('[HTTP-21] a password in the URL is the token, for programs only', async () => {
  const at = (password: string) => server.url.replace('http://', `http://x:${password}@`)
  const old = new Client1x(at(token), null)
  await old.register('1.0.0')
  expect(await old.poll()).toEqual([])
  expect((await old.discover()).map(({ name }) => name)).toContain('1.0.0')
  const ask = (path: string, headers: Record<string, string>, password = token) =>
    globalThis.fetch(server.url + path, {
      headers: {
        authorization: `Basic ${Buffer.from(`x:${password}`).toString('base64')}`,
        ...headers,
      },
    })
  const statuses = async (...asked: Promise<Response>[]) =>
    (await Promise.all(asked)).map(({ status }) => status)
  expect(
    await statuses(
      ask('/discover', {}),
      // Pages of other sites, whose browser shows the password by itself.
      ask('/discover', { origin: 'http://evil.example' }),
      ask('/discover', { 'sec-fetch-site': 'cross-site' }),
      // No other secret, and none of the rest of the server.
      ask('/discover', {}, 'wrong'),
      ask('/api/workspaces/default/log', {}),
    ),
  ).toEqual([200, 403, 403, 401, 401])
  const refused = await ask('/discover', {}, 'wrong')
  expect(refused.headers.get('www-authenticate')).toBe('Bearer')
})

it('[HTTP-22] who is gone is not listed; the same name on the same machine comes again with its mail', async () => {
  const first = await agent('comes-again', 'machine-1')
  const sender = await agent('sender')
  await passUntilNobody(server.url, token, 3 * MINUTE_MS)
  expect((await first.discover()).map(({ name }) => name)).toEqual([])
  await sender.heartbeat()
  await sender.delegate(first.agentId!, 'for later')
  expect((await sender.discover()).map(({ name }) => name)).toEqual(['sender'])
  // Another machine is another agent; an id that was chosen stays.
  const elsewhere = await agent('comes-again', 'machine-2')
  const chosen = { agent_id: 'my-own', name: 'comes-again', machine: 'machine-1' }
  const { agent: own } = await sender.call('POST', 'register', chosen)
  expect([elsewhere.agentId, own.agent_id]).toEqual([
    expect.not.stringMatching(first.agentId!),
    'my-own',
  ])
  const again = await agent('comes-again', 'machine-1')
  expect(again.agentId).toBe(first.agentId)
  expect(await again.polls(1)).toMatchObject([{ type: 'task_delegation', task: 'for later' }])
  // While it is here nobody takes its place.
  const second = await agent('comes-again', 'machine-1')
  expect(second.agentId).not.toBe(first.agentId)
})
