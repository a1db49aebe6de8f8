import { createHash } from 'node:crypto'
import { Validator } from '@seriousme/openapi-schema-validator'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ask, bearer, invite, type Member, member } from '../../support/auth/members.ts'
import { until } from '../../support/client.ts'
import { checkedApi, type Data } from '../../support/http-agents/checked-api.ts'
import { startHere } from '../../support/in-process.ts'
import type { ServerAt } from '../../support/server.ts'

let server: ServerAt
let ann: Member
let bob: Member
const { call, get, post, routes, used } = checkedApi(() => server.url)

beforeAll(async () => {
  server = await startHere()
  ann = await member(server, 'a-ann')
  bob = await member(server, 'a-bob')
})
afterAll(() => server.stop())

describe('a day of two agents that have nothing but HTTP', () => {
  it('[HTTP-12] they join, register and find each other', async () => {
    const registered = await post(ann, 'register', {
      ...{ name: 'Ann', capabilities: ['review'], machine: 'm1', description: 'reads', topics: [] },
    })
    expect(registered.agent).toMatchObject({ agent_id: 'a-ann', name: 'Ann', status: 'online' })
    expect((await post(ann, 'register', { name: 'Ann', kind: 'person' })).agent.kind).toBe('person')
    expect((await post(ann, 'register', { name: 'Ann' })).agent.kind).toBe('person')
    expect((await post(ann, 'register', { name: 'Ann', kind: 'agent' })).agent.kind).toBe('agent')
    await post(bob, 'register', { name: 'Bob', capabilities: ['python', 'tests'] })
    await post(bob, 'heartbeat', { note: 'testing the parser', task: 't-1' })
    const { agents } = await get(ann, 'agents')
    expect(agents).toMatchObject([
      { name: 'Ann', capabilities: ['review'] },
      { name: 'Bob', activity: { note: 'testing the parser', task: 't-1' } },
    ])
    expect((await post(ann, 'agents/Bob/pause', { note: 'wait' })).agent.paused).toMatchObject({
      ...{ by: 'a-ann', note: 'wait' },
    })
    expect((await get(bob, 'inbox')).paused).toMatchObject({ by: 'a-ann' })
    expect((await post(ann, 'agents/Bob/resume')).agent.paused).toBeUndefined()
  })

  it('[HTTP-12] tasks go their whole way', async () => {
    const { task: first } = await post(ann, 'tasks', { task: 'first', to: 'Bob' })
    const { task } = await post(ann, 'tasks', {
      ...{ task: 'test it', requires: ['python'], context: { in: 'src' }, priority: 'urgent' },
      ...{ after: [first.task_id], after_failed: 'run', parent: first.task_id, max_attempts: 2 },
      ...{ approve_by: 'Ann', deadline: '2999-01-01T00:00:00Z', reset_trace: true },
    })
    expect(task).toMatchObject({ status: 'submitted', approve_by: 'a-ann', priority: 'urgent' })
    expect((await get(bob, 'tasks')).tasks).toMatchObject([{ task: 'test it' }, { task: 'first' }])
    expect((await get(bob, 'tasks?ready=true')).tasks).toMatchObject([{ task: 'first' }])
    expect((await get(bob, 'tasks?mine=true&sort=created')).count).toBe(1)
    expect((await get(ann, 'tasks?from_me=true&state=submitted,working')).count).toBe(2)
    expect((await post(bob, `tasks/${first.task_id}/claim`)).lease_seconds).toBeGreaterThan(0)
    await post(bob, `tasks/${first.task_id}/status`, { state: 'failed', message: 'no' })
    const next = await post(bob, 'tasks/next', { caps: ['python'] })
    expect(next.task).toMatchObject({ task_id: task.task_id, owner: 'a-bob', token: 1 })
    const id = `tasks/${task.task_id}`
    await post(bob, `${id}/status`, { state: 'working', percent: 40, message: 'half', token: 1 })
    await post(bob, `${id}/status`, { state: 'input-required', message: 'which?', token: 1 })
    expect((await post(ann, `${id}/answer`, { text: 'the new one' })).task.status).toBe('working')
    expect((await post(ann, `${id}/note`, { text: 'hurry' })).task.notes).toMatchObject([
      { by: 'a-ann', text: 'hurry' },
    ])
    const result = { json: { ok: 3 }, artifacts: [] }
    await post(bob, `${id}/status`, { state: 'completed', message: 'done', result, token: 1 })
    expect((await post(ann, `${id}/approve`)).task).toMatchObject({ status: 'completed' })
    const { task: whole } = await get(ann, id)
    expect(whole.history.map(({ event }: Data) => event)).toContain('approved')
    const { task: given } = await post(ann, 'tasks', { task: 'never mind', to: 'Bob' })
    expect(await post(bob, `tasks/${given.task_id}/decline`, { message: 'busy' })).toMatchObject({
      task: { status: 'rejected' },
    })
    const { task: taken } = await post(ann, 'tasks', { task: 'not now' })
    await post(bob, `tasks/${taken.task_id}/claim`)
    await post(bob, `tasks/${taken.task_id}/release`, { message: 'no time' })
    const { task: late } = await post(ann, 'tasks', { task: 'too late', to: 'Bob' })
    const end = { message: 'never', force: true }
    expect((await post(ann, `tasks/${late.task_id}/cancel`, end)).task.status).toBe('canceled')
    expect(await post(ann, 'tasks', { task: 'x', to: 'Bobb' })).toMatchObject({
      ...{ http: 404, code: 'unknown_agent', hint: expect.stringContaining('Bob') },
    })
    expect(await post(ann, 'tasks', { task: 'x', after: ['t-nothing'] })).toMatchObject({
      ...{ http: 404, code: 'unknown_task' },
    })
  })

  it('[HTTP-10] [INBOX-15] [INBOX-16] [INBOX-24] the inbox waits, is looked into, and is acknowledged', async () => {
    const { messages } = await get(bob, 'inbox')
    expect(messages.map(({ type }: Data) => type)).toContain('task_note')
    // Nothing is read by looking.
    expect((await get(bob, 'inbox')).messages).toEqual(messages)
    const { messages: urgent } = await get(bob, 'inbox?types=task_delegation&from=Ann&limit=1')
    expect(urgent).toHaveLength(1)
    const ids = messages.map(({ message_id }: Data) => message_id)
    expect((await post(bob, 'inbox/ack', { ids })).acknowledged).toBe(messages.length)
    expect((await get(bob, 'inbox')).messages).toEqual([])
    expect((await post(bob, 'inbox/ack', { ids })).acknowledged).toBe(0)

    // [INBOX-15] A task has many messages under its id.
    const { task: asked } = await post(ann, 'tasks', { task: 'two answers', to: 'Bob' })
    const status = (state: string) => post(bob, `tasks/${asked.task_id}/status`, { state })
    const responses = async () =>
      (await get(ann, 'inbox?types=task_response')).messages.filter(
        ({ message_id }: Data) => message_id === asked.task_id,
      )
    await status('working')
    expect(await responses()).toMatchObject([{ status: 'in_progress' }])
    await status('completed')
    const once = { ids: [asked.task_id] }
    expect((await post(ann, 'inbox/ack', once)).acknowledged).toBe(1)
    expect(await responses()).toMatchObject([{ status: 'completed' }])
    expect((await get(bob, 'inbox')).count).toBe(0) // [INBOX-18] it has ended

    // [INBOX-16] A page is bounded.
    const say = (content: string) =>
      post(ann, 'messages', { to: 'Bob', content, reset_trace: true })
    for (let i = 0; i < 55; i++) await say(`page ${i}`)
    expect(await get(bob, 'inbox')).toMatchObject({ count: 50, remaining: 5 })
    expect(await get(bob, 'inbox?limit=52')).toMatchObject({ count: 52, remaining: 3 })
    const all = await get(bob, 'inbox?limit=100')
    await post(bob, 'inbox/ack', { ids: all.messages.map((one: Data) => one.message_id) })
    for (let i = 0; i < 2; i++) await say('x'.repeat(40_000))
    expect(await get(bob, 'inbox')).toMatchObject({ count: 1, remaining: 1 })
    const large = await get(bob, 'inbox?limit=2')
    expect(large).toMatchObject({ count: 2, remaining: 0 })
    await post(bob, 'inbox/ack', { ids: large.messages.map((one: Data) => one.message_id) })

    const waiting = get(bob, 'inbox?wait=30&types=direct_message')
    await post(ann, 'broadcasts', { content: 'not what it waits for', topic: 'x', tags: ['y'] })
    const sent = await post(ann, 'messages', { to: 'Bob', content: 'are you there?' })
    expect((await waiting).messages).toMatchObject([{ content: 'are you there?' }])
    const reply_to = sent.message.message_id
    await post(bob, 'messages', { to: 'a-ann', content: 'I am', reply_to })
    await post(bob, 'inbox/ack', { ids: [reply_to] })
    await until('it is answered', async () => {
      const { messages } = await get(ann, 'sent')
      return messages.some(
        ({ message_id, state }: Data) => message_id === reply_to && state === 'answered',
      )
    })
    const began = performance.now()
    expect((await get(ann, 'inbox?wait=0.2001&types=digest')).messages).toEqual([])
    expect(performance.now() - began).toBeGreaterThan(150)
    const log = await get(ann, 'log?for=a-ann')
    expect(log.broadcasts.map(({ content }: Data) => content)).toContain('are you there?')
    const found = await get(ann, 'find?query=there&in=messages')
    expect(found.found.map(({ message }: Data) => message.content)).toContain('are you there?')
    expect(await get(ann, 'find?query=%22%22')).toMatchObject({ http: 400, code: 'usage' })
    expect(await get(ann, 'inbox?types=gossip')).toMatchObject({ http: 400, code: 'usage' })
  })

  it('[HTTP-12] files are shared, merged, edited, renamed and removed', async () => {
    const put = (who: Member, content: string, more: object = {}) =>
      call(who, 'PUT', 'files/content', { key: 'notes/a.md', content, ...more })
    expect(await put(ann, 'one\ntwo\nthree\n')).toMatchObject({
      ...{ created: true, file: { version: 1 } },
    })
    const read = await get(bob, 'files/content?key=notes/a.md')
    expect(read.file).toMatchObject({ version: 1, content: 'one\ntwo\nthree\n' })
    expect(
      (await get(bob, 'files/content?key=notes/a.md&from_line=2&to_line=3')).file,
    ).toMatchObject({ content: 'two\nthree\n', from_line: 2, to_line: 3 })
    expect((await get(bob, 'files/content?key=notes/a.md&from_line=3')).file.content).toBe(
      'three\n',
    )
    for (const lines of ['from_line=3&to_line=2', 'from_line=9']) {
      expect(await get(bob, `files/content?key=notes/a.md&${lines}`)).toMatchObject({
        code: 'usage',
      })
    }
    await post(ann, 'files/edit', { key: 'notes/a.md', find: 'one', replace: 'ONE' })
    expect(await put(bob, 'one\ntwo\nTHREE\n')).toMatchObject({ http: 409, code: 'no_base' })
    expect(await put(ann, '', { if_absent: true })).toMatchObject({
      http: 409,
      code: 'file_exists',
    })
    const merged = await put(bob, 'one\ntwo\nTHREE\n', { base_version: 1 })
    expect(merged).toMatchObject({ changed: true, conflicts: [], file: { version: 3 } })
    // Lines are those of the version that is named.
    await post(bob, 'files/edit', {
      ...{ key: 'notes/a.md', from_line: 2, to_line: 2, with: 'TWO\n', base_version: 1 },
    })
    await post(ann, 'files/append', { key: 'notes/a.md', text: 'four' })
    await post(ann, 'files/append', { key: 'log.md', text: 'new' })
    const { file } = await get(ann, 'files/content?key=notes/a.md')
    expect(file.content).toBe('ONE\ntwo\nTHREE\nfour\n'.replace('two', 'TWO'))
    expect(await put(ann, 'all new', { base_version: 99 })).toMatchObject({
      code: 'unknown_version',
    })
    expect((await get(ann, 'files?prefix=notes/')).files).toMatchObject([
      { file_key: 'notes/a.md' },
    ])
    expect((await get(ann, 'files/log?key=notes/a.md')).versions.length).toBeGreaterThan(2)
    expect((await get(ann, 'files/version?key=notes/a.md&version=1')).version.content).toBe(
      'one\ntwo\nthree\n',
    )
    expect(await post(ann, 'checkpoints', { name: 'day' })).toMatchObject({
      checkpoint: { name: 'day', by: 'a-ann' },
    })
    expect((await get(ann, 'checkpoints')).count).toBe(1)
    expect((await get(ann, 'checkpoints/files?name=day')).files.length).toBeGreaterThan(1)
    const past = { key: 'notes/a.md', version: 1, dry_run: true }
    expect((await post(bob, 'files/restore', past)).restored).toHaveLength(1)
    expect((await post(bob, 'checkpoints/restore', { name: 'day' })).restored).toEqual([])
    expect((await get(bob, 'files/blame?key=notes/a.md')).ranges.length).toBeGreaterThan(0)
    expect(await post(bob, 'undo', { agent: 'Bob', dry_run: true })).toMatchObject({ undo: null })
    expect(await post(ann, 'files/move', { key: 'log.md', to: 'notes/log.md' })).toMatchObject({
      ...{ moved_from: 'log.md', file: { file_key: 'notes/log.md' } },
    })
    expect(await post(ann, 'files/remove', { key: 'notes/a.md', base_version: 1 })).toMatchObject({
      http: 409,
      code: 'stale',
    })
    expect((await get(ann, 'checkpoints/diff?from=day')).files).toMatchObject([
      { file_key: 'notes/log.md', change: 'moved' },
    ])
    expect((await post(ann, 'checkpoints/remove', { name: 'day' })).checkpoint.name).toBe('day')
    expect(await post(ann, 'files/remove', { key: 'notes/a.md' })).toEqual({
      removed: 'notes/a.md',
    })
    expect(await get(ann, 'files/content?key=notes/a.md')).toMatchObject({ code: 'unknown_file' })
    expect(await post(ann, 'files/edit', { key: 'notes/log.md', find: 'x' })).toMatchObject({
      ...{ http: 400, code: 'usage' },
    })
  })

  it('[HTTP-12] [SUGGEST-1] a change is suggested, accepted and rejected', async () => {
    await post(ann, 'files/append', { key: 'suggest.md', text: 'new' })
    const suggested = { key: 'suggest.md', find: 'new', replace: 'newer', note: 'it is' }
    expect(await post(bob, 'suggestions', suggested)).toMatchObject({
      suggestion: { suggestion_id: 's-1', by: 'a-bob', state: 'open', hunks: 1 },
    })
    expect((await get(ann, 'suggestions?key=suggest.md')).suggestions).toHaveLength(1)
    expect((await get(ann, 'suggestions/s-1')).diff).toEqual([
      ...['@@ hunk 1 line 1 applies @@', '-new', '+newer'],
    ])
    expect(await post(ann, 'suggestions/s-1/accept', { hunks: [1] })).toMatchObject({
      ...{ accepted: [1], file: { last_editor: 'a-bob' }, suggestion: { state: 'accepted' } },
    })
    await post(bob, 'suggestions', { key: 'suggest.md', find: 'newer', replace: 'newest' })
    expect(await post(ann, 'suggestions/s-2/reject', { reason: 'no' })).toMatchObject({
      suggestion: { state: 'rejected', decisions: [{ by: 'a-ann', reason: 'no' }] },
    })
    // Both have ended: the server keeps them.
    expect((await get(bob, 'suggestions/s-2')).diff).toHaveLength(3)
    expect((await get(ann, 'suggestions')).count).toBe(0)
  })

  it('[HTTP-12] the record is told, and its digests lead to its head', async () => {
    const { seq, head, from, digests, to } = await get(bob, 'record?after=0')
    expect(from.seq).toBe(0)
    expect(digests).toHaveLength(seq)
    expect(to).toEqual({ seq, head })
    const { events } = await get(bob, 'record/story?agent=Ann&limit=500')
    expect(events.map(({ kind }: Data) => kind)).toContain('file')
  })

  it('[HTTP-12] files that are not text are uploaded, and named', async () => {
    const bytes = new Uint8Array([1, 0, 2])
    const sha256 = createHash('sha256').update(bytes).digest('hex')
    const file = { key: 'pic.png', sha256, size: 3 }
    const share = () => call(ann, 'PUT', 'files/bytes', file)
    expect(await share()).toMatchObject({ http: 404, code: 'unknown_blob' })
    const at = `${server.url}/api/workspaces/default/blobs/${sha256}`
    await globalThis.fetch(`${at}?size=3`, { method: 'PUT', headers: ann.headers, body: bytes })
    expect(await share()).toMatchObject({ created: true, file: { sha256, size: 3 } })
    expect((await get(bob, 'files?prefix=pic')).files).toMatchObject([{ media_type: 'image/png' }])
    expect(await get(bob, 'files/content?key=pic.png')).toMatchObject({ code: 'not_text' })
    const got = await globalThis.fetch(at, { headers: bob.headers })
    expect(new Uint8Array(await got.arrayBuffer())).toEqual(bytes)
  })

  it('[HTTP-9] a write under a key is done once, by every route that writes', async () => {
    const key = { 'idempotency-key': 'k-1' }
    for (const [rest, body] of [
      ['broadcasts', { content: 'once' }],
      ['messages', { to: 'Bob', content: 'once' }],
      ['tasks', { task: 'once', to: 'Bob' }],
      ['files/append', { key: 'once.md', text: 'once' }],
    ] as const) {
      const more = { 'idempotency-key': `k-${rest}` }
      expect(await post(ann, rest, body, more)).toEqual(await post(ann, rest, body, more))
    }
    expect((await get(ann, 'files/content?key=once.md')).file.content).toBe('once\n')
    await post(ann, 'broadcasts', { content: 'a' }, key)
    expect(await post(ann, 'broadcasts', { content: 'b' }, key)).toMatchObject({
      ...{ http: 409, code: 'key_reused' },
    })
    const { task } = await post(ann, 'tasks', { task: 'claimed', to: 'Bob' })
    const claim = () => post(bob, `tasks/${task.task_id}/claim`, {}, key)
    expect((await claim()).task.revision).toBe((await claim()).task.revision)
  })

  it('[HTTP-3] nobody acts as somebody else, and the owner says as whom', async () => {
    expect(await post(ann, 'broadcasts', { by: 'a-bob', content: 'x' })).toMatchObject({
      ...{ http: 403, code: 'forged' },
    })
    expect(await get(ann, 'inbox?by=a-bob')).toMatchObject({ http: 403, code: 'forged' })
    const owner = {
      agent: '',
      token: server.token,
      headers: { authorization: `Bearer ${server.token}` },
    }
    expect(await post(owner, 'broadcasts', { content: 'x' })).toMatchObject({ code: 'usage' })
    expect((await post(owner, 'broadcasts', { by: 'a-bob', content: 'x' })).recipients).toBe(1)
  })

  it('[HTTP-12] who joined as a person is one, and no task is answered with submitted', async () => {
    const secret = await invite(server, { workspace: 'default' })
    const { data } = await ask<{ credential: string }>(server, '/api/join', {
      ...{ invite: secret, agent_id: 'a-pat', kind: 'person' },
    })
    const pat = { agent: 'a-pat', token: data.credential, headers: bearer(data.credential) }
    expect((await post(pat, 'register', { name: 'Pat' })).agent.kind).toBe('person')
    const { task } = await post(ann, 'tasks', { task: 'x', to: 'Pat' })
    const answered = await post(pat, `tasks/${task.task_id}/status`, {
      ...{ key: 'k', state: 'submitted', message: '' },
    })
    expect(answered).toMatchObject({ http: 400, code: 'bad_status' })
    expect((await get(ann, `tasks/${task.task_id}`)).task.status).toBe('submitted')
    await post(ann, `tasks/${task.task_id}/cancel`, { key: 'c' })
  })
})

it('[HTTP-12] [HTTP-26] the OpenAPI document is valid, and has every route that is served', async () => {
  const answer = await globalThis.fetch(`${server.url}/api/openapi.json`)
  const document = (await answer.json()) as { paths: Record<string, Record<string, Data>> }
  const { valid, errors } = await new Validator().validate(structuredClone(document))
  expect(errors ?? []).toEqual([])
  expect(valid).toBe(true)
  const documented = Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
  )
  const served = routes.flatMap(({ method, path: typed, bytes }) => {
    const path = typed.replace(/:(\w+)(\{\.\+\})?/g, '{$1}').replace(/(.)\/$/, '$1')
    return [`${method} ${path}`, ...(bytes ? [`HEAD ${path}`] : [])]
  })
  expect(documented.sort()).toEqual([...new Set(served)].sort())
  const ids = Object.values(document.paths).flatMap((operations) =>
    Object.values(operations).map(({ operationId }) => operationId),
  )
  expect(new Set(ids).size).toBe(ids.length)
  const blobs = document.paths['/api/workspaces/{workspace}/blobs/{sha256}']!
  expect(Object.keys(blobs.put!.responses)).toEqual(['201', '202', 'default'])
  expect(blobs.get!.responses['200'].content).toHaveProperty('application/octet-stream')
  expect(blobs.head!.responses['200']).not.toHaveProperty('content')
  // What agents do by it was done above, and came as it is written there.
  const unused = routes.filter(
    (one) =>
      one.path.startsWith('/api/workspaces/') &&
      !/\/(blobs|archive|archived)\b/.test(one.path) &&
      !used.has(one),
  )
  expect(unused.map(({ method, path }) => `${method} ${path}`)).toEqual([])
})

it('[HTTP-12] with the server’s workspace walls: another workspace is not reached', async () => {
  const { status } = await ask(server, '/api/workspaces/other/agents', undefined, ann.headers)
  expect(status).toBe(403)
})
