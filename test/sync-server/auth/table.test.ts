import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import * as Y from 'yjs'
import { createApp } from '../../../sync-server/app.ts'
import type { AppEnv } from '../../../sync-server/routes/env.ts'
import { ask, bearer, invite, member } from '../../support/auth/members.ts'
import { frame, RawClient, until } from '../../support/client.ts'
import { httpToken } from '../../support/http-agents/plain-client.ts'
import { startHere } from '../../support/in-process.ts'
import type { ServerAt } from '../../support/server.ts'

const WHO = [
  ...['nobody', 'wrong', 'expired invite', 'revoked', 'other workspace'],
  ...['read', 'suggest', 'write', 'admin', 'owner'],
  ...['token', 'reading token', 'other token'],
] as const
type Who = (typeof WHO)[number]

const READ: readonly Who[] = ['read', 'suggest', 'write', 'admin', 'owner']
const SUGGEST: readonly Who[] = ['suggest', 'write', 'admin', 'owner']
const WRITE: readonly Who[] = ['write', 'admin', 'owner']
const ADMIN: readonly Who[] = ['admin', 'owner']
const SOMEBODY: readonly Who[] = [...READ, 'other workspace']
const AGENTS = SOMEBODY.filter((who) => who !== 'owner')
const TOKENS: readonly Who[] = ['token', 'reading token', 'other token']
const ANYBODY: readonly Who[] = [...SOMEBODY, ...TOKENS, 'nobody']
const PLAIN_READ: readonly Who[] = [...READ, 'token', 'reading token']
const PLAIN_WRITE: readonly Who[] = [...WRITE, 'token']
const PLAIN_SUGGEST: readonly Who[] = [...SUGGEST, 'token']

let server: ServerAt
const headers = {} as Record<Who, Record<string, string>>
/** As whom each of them speaks. */
const agents: Partial<Record<Who, string>> = {}

beforeAll(async () => {
  server = await startHere({ args: ['--limit', 'failures=1000000'] })
  headers.nobody = { authorization: '' }
  headers.wrong = bearer(`clc_${'x'.repeat(43)}`)
  headers['expired invite'] = bearer(await invite(server, { expires_in: 1_000 }))
  for (const role of ['read', 'suggest', 'write', 'admin'] as const) {
    const { agent } = await member(server, `a-${role}`, role).then((one) => {
      headers[role] = one.headers
      return one
    })
    agents[role] = agent
  }
  headers['other workspace'] = (await member(server, 'a-other', 'admin', 'other')).headers
  headers.revoked = (await member(server, 'a-revoked', 'admin')).headers
  await ask(server, '/api/admin/revoke', { which: 'a-revoked' })
  headers.owner = bearer(server.token)
  headers.token = bearer(await httpToken(server))
  headers['reading token'] = bearer(await httpToken(server, { role: 'read' }))
  headers['other token'] = bearer(await httpToken(server, { workspace: 'other' }))
  agents.token = 'a-guest'
  await ask(server, '/register', { agent_id: 'a-guest', name: 'guest' }, headers.token)
})
afterAll(() => server.stop())

interface Row {
  /** Who is let through; all others get 401 or 403. */
  pass: readonly Who[]
  path?: string
  body?: (by: string) => object
  method?: string
}

const ws = '/api/workspaces/default'
const command = (by: string) => ({ by, key: 'k' })
const SHA = 'a'.repeat(64)
const TABLE: Record<string, Row> = {
  'GET /': { pass: ANYBODY },
  'GET /w/:workspace': { pass: ANYBODY, path: '/w/default' },
  'GET /w/:workspace/': { pass: ANYBODY, path: '/w/default/' },
  'GET /health': { pass: ANYBODY },
  'GET /metrics': { pass: [...ADMIN, 'other workspace'] },
  'GET /api/prove': {
    pass: ANYBODY,
    path: `/api/prove?id=${SHA.slice(0, 16)}&nonce=short`, // no such secret is a 401 to all
  },
  'POST /api/ticket': { pass: SOMEBODY, body: () => ({}) },
  'GET /app/:file': { pass: ANYBODY, path: '/app/none.js' },
  'GET /sw.js': { pass: ANYBODY },
  'GET /api/session': { pass: AGENTS },
  'POST /api/session/end': { pass: AGENTS },
  'POST /api/admin/invite': { pass: ADMIN, body: () => ({ workspace: 'default' }) },
  'POST /api/admin/revoke': {
    pass: ADMIN,
    body: () => ({ workspace: 'default', which: 'a-nobody' }),
  },
  'POST /api/admin/rotate': {
    pass: ADMIN,
    body: () => ({ workspace: 'default', which: 'a-nobody' }),
  },
  'POST /api/admin/backup': { pass: ['owner'], body: () => ({ dir: 'relative' }) },
  'POST /api/admin/recover': { pass: ['owner'], body: () => ({ for: 1_000 }) },
  'GET /api/admin/invites': { pass: ADMIN, path: '/api/admin/invites?workspace=default' },
  'POST /api/admin/role': {
    ...{ pass: ADMIN, body: () => ({ which: 'a-nobody', role: 'read', workspace: 'default' }) },
  },
  'GET /api/admin/status': { pass: ['owner'] },
  'POST /api/admin/drain': { pass: ['owner'], body: () => ({}) },
  'POST /api/admin/log-level': { pass: ['owner'], body: () => ({}) },
  'POST /api/admin/rename': {
    ...{ pass: ['owner'], body: () => ({ workspace: 'default', called: 'default' }) },
  },
  'POST /api/admin/remove': { pass: ['owner'], body: () => ({ workspace: 'nope' }) },
  'POST /api/admin/restore': { pass: ['owner'], body: () => ({ workspace: 'nope' }) },
  'POST /api/admin/purge': { pass: ['owner'], body: () => ({ workspace: 'nope' }) },
  'POST /api/admin/add': { pass: ['owner'], body: () => ({ workspace: 'default' }) },
  'GET /api/admin/workspaces': { pass: ADMIN, path: '/api/admin/workspaces?workspace=default' },
  'GET /api/admin/agents': { pass: ADMIN, path: '/api/admin/agents?workspace=default' },
  'GET /api/admin/audit': { pass: ADMIN, path: '/api/admin/audit?workspace=default' },
  'POST /api/workspaces/:workspace/tasks/next': {
    ...{ pass: WRITE, path: `${ws}/tasks/next`, body: command },
  },
  'POST /api/workspaces/:workspace/tasks/:task/status': {
    pass: WRITE,
    path: `${ws}/tasks/t-0/status`,
    body: (by) => ({ ...command(by), state: 'working' }),
  },
  ...Object.fromEntries(
    ['claim', 'release', 'decline', 'approve', 'cancel'].map((name) => [
      `POST /api/workspaces/:workspace/tasks/:task/${name}`,
      { pass: WRITE, path: `${ws}/tasks/t-0/${name}`, body: command },
    ]),
  ),
  'GET /api/workspaces/:workspace/tasks/archived': { pass: READ, path: `${ws}/tasks/archived` },
  'GET /api/workspaces/:workspace/tasks/archive': {
    pass: READ,
    path: `${ws}/tasks/archive?for=ME`,
  },
  'GET /api/workspaces/:workspace/tasks/:task': { pass: READ, path: `${ws}/tasks/t-0` },
  'GET /api/workspaces/:workspace/archive': { pass: READ, path: `${ws}/archive` },
  'GET /api/workspaces/:workspace/log': { pass: READ, path: `${ws}/log?for=ME` },
  'GET /api/workspaces/:workspace/find': { pass: READ, path: `${ws}/find?query=x&for=ME` },
  'GET /api/workspaces/:workspace/files/log': { pass: READ, path: `${ws}/files/log?key=x` },
  'GET /api/workspaces/:workspace/files/blame': { pass: READ, path: `${ws}/files/blame?key=x` },
  'GET /api/workspaces/:workspace/files/version': {
    ...{ pass: READ, path: `${ws}/files/version?key=x&version=1` },
  },
  'GET /api/workspaces/:workspace/record': { pass: READ, path: `${ws}/record` },
  'GET /api/workspaces/:workspace/record/story': { pass: READ, path: `${ws}/record/story?for=ME` },
  'GET /api/workspaces/:workspace/blobs/:sha256': { pass: READ, path: `${ws}/blobs/${SHA}` },
  'PUT /api/workspaces/:workspace/blobs/:sha256': {
    ...{ pass: WRITE, path: `${ws}/blobs/${SHA}?size=3`, method: 'PUT' },
  },
}
/** What agents without a replica do. */
const DONE: Record<string, object> = {
  register: { name: 'x' },
  heartbeat: {},
  'agents/:agent/pause': {},
  'agents/:agent/resume': {},
  tasks: { task: 't', to: 'nobody' },
  'tasks/:task/note': { text: 'n' },
  'tasks/:task/answer': { text: 'n' },
  broadcasts: { content: 'c' },
  messages: { content: 'c', to: 'nobody' },
  'inbox/ack': { ids: ['m'] },
  'files/content': { key: 'f', content: 'c' },
  'files/bytes': { key: 'f', sha256: SHA, size: 1 },
  'files/edit': { key: 'f', find: 'c', replace: 'd' },
  'files/append': { key: 'f', text: 'c' },
  'files/remove': { key: 'g' },
  'files/move': { key: 'g', to: 'h' },
  'files/restore': { key: 'g', version: 1 },
  undo: { since: '2020-01-01T00:00:00Z', key: 'none' },
  checkpoints: { name: 'c' },
  'checkpoints/remove': { name: 'none' },
  'checkpoints/restore': { name: 'none' },
  suggestions: { key: 'f', find: 'c', replace: 'd' },
  'suggestions/:suggestion/accept': {},
  'suggestions/:suggestion/reject': {},
}
/** What an agent whose role is to suggest does by itself. */
const SUGGESTED: ReadonlySet<string> = new Set([
  ...['register', 'heartbeat', 'inbox/ack', 'suggestions', 'suggestions/:suggestion/reject'],
])
for (const [path, body] of Object.entries(DONE)) {
  const method = ['files/content', 'files/bytes'].includes(path) ? 'PUT' : 'POST'
  TABLE[`${method} /api/workspaces/:workspace/${path}`] = {
    ...{ pass: SUGGESTED.has(path) ? SUGGEST : WRITE, method },
    path: `${ws}/${path.replace(/:(\w+)/g, 'x')}`,
    body: (by) => ({ by, ...body }),
  }
}
const SEEN = {
  ...{ agents: '', tasks: '', sent: '?by=ME', files: '', 'files/content': '?key=f' },
  ...{ checkpoints: '', 'checkpoints/files': '?name=c', 'checkpoints/diff': '?from=c' },
  suggestions: '?key=f',
}
for (const [path, query] of Object.entries(SEEN)) {
  const row = { pass: READ, path: `${ws}/${path}${query}` }
  TABLE[`GET /api/workspaces/:workspace/${path}`] = row
}
// It notes who has been told, and so it is no mere look.
TABLE['GET /api/workspaces/:workspace/inbox'] = { pass: SUGGEST, path: `${ws}/inbox?by=ME` }
TABLE['GET /api/workspaces/:workspace/suggestions/:suggestion'] = {
  ...{ pass: READ, path: `${ws}/suggestions/s-1` },
}
TABLE['GET /api/openapi.json'] = { pass: ANYBODY }

/** ClawLink 1.x's routes. */
const PLAIN: Record<string, Row> = {
  'POST /register': { pass: PLAIN_SUGGEST, body: (by) => ({ agent_id: by, name: by }) },
  'GET /discover': { pass: PLAIN_READ },
  'POST /heartbeat': { pass: PLAIN_SUGGEST, body: (by) => ({ agent_id: by }) },
  'POST /delegate': {
    pass: PLAIN_WRITE,
    body: (by) => ({ from_agent: by, to_agent: 'nobody', task: 't' }),
  },
  'POST /broadcast': { pass: PLAIN_WRITE, body: (by) => ({ from_agent: by, content: 'c' }) },
  'GET /poll/:agent_id': { pass: PLAIN_WRITE, path: '/poll/ME' },
  'POST /respond': {
    pass: PLAIN_WRITE,
    body: (by) => ({ from_agent: by, to_agent: 'x', message_id: 't-0', result: 'r' }),
  },
  'POST /files': {
    pass: PLAIN_WRITE,
    body: (by) => ({ agent_id: by, file_key: 'f', content: 'c' }),
  },
  'GET /files': { pass: PLAIN_READ },
  'GET /files/:key{.+}': { pass: PLAIN_READ, path: '/files/f' },
}
for (const [name, row] of Object.entries(PLAIN)) {
  const [method, path] = name.split(' ')
  TABLE[name] = row
  TABLE[`${method} /w/:workspace${path}`] = { ...row, path: `/w/default${row.path ?? path}` }
}

/** What its own test is about: it is open to whoever has an invite. */
const ELSEWHERE = ['POST /api/join', 'POST /api/session']

it('[AUTH-2] every route of the server has a row in this table', () => {
  const app = createApp({ updateLog: {} } as unknown as AppEnv)
  const routes = app.routes.filter(({ method }) => method !== 'ALL')
  const names = [...new Set(routes.map(({ method, path }) => `${method} ${path}`))]
  expect(names.sort()).toEqual([...Object.keys(TABLE), ...ELSEWHERE].sort())
})

describe.each(Object.entries(TABLE))('%s', (name, { pass, path, body, method }) => {
  it.each(WHO)('[AUTH-2] as %s', async (who) => {
    const [verb, route] = name.split(' ') as [string, string]
    const me = agents[who] ?? 'a-someone'
    const url = server.url + (path ?? route).replace('ME', me)
    const sent = body === undefined ? null : JSON.stringify(body(me))
    const answer = await globalThis.fetch(url, {
      method: method ?? verb,
      ...(headers[who].authorization !== '' && { headers: headers[who] }),
      body: sent ?? (method === 'PUT' ? 'abc' : null),
    })
    const text = await answer.text()
    if (pass.includes(who)) expect([401, 403], text).not.toContain(answer.status)
    else expect([401, 403], text).toContain(answer.status)
    expect(answer.status === 401).toBe(
      !pass.includes(who) && ['nobody', 'wrong', 'expired invite', 'revoked'].includes(who),
    )
  })
})

it('[AUTH-1] who shows nothing learns no name and no detail', async () => {
  const root = await (await globalThis.fetch(server.url)).json()
  expect(Object.keys(root as object).sort()).toEqual(
    [
      'auth',
      'auth_required',
      'endpoints',
      'note',
      'server_time',
      'service',
      'status',
      'sync_path',
      'version',
    ].sort(),
  )
  expect(await (await globalThis.fetch(`${server.url}/health`)).json()).toEqual({ status: 'ok' })
})

const connect = async (who: Who, workspace = 'default'): Promise<RawClient | number> => {
  const shown = headers[who].authorization === '' ? {} : headers[who]
  const client = new RawClient(`${server.sync}/${workspace}`, shown)
  return new Promise((resolve) => {
    client.ws.on('open', () => resolve(client))
    client.ws.on('unexpected-response', (_request, { statusCode }) => resolve(statusCode ?? 0))
  })
}

/** An edit like no other, and the deletion of it. */
const edits = (): { edit: Uint8Array; removal: Uint8Array } => {
  const doc = new Y.Doc()
  const updates: Uint8Array[] = []
  doc.on('update', (bytes: Uint8Array) => updates.push(bytes))
  doc.getText('t').insert(0, 'x')
  const { length } = updates
  doc.getText('t').delete(0, 1)
  return { edit: updates[0]!, removal: updates[length]! }
}
const json = new TextEncoder().encode('{"cursor":1}')
const FRAMES: Record<
  string,
  { bytes: Uint8Array | ((one: ReturnType<typeof edits>) => Uint8Array); pass: readonly Who[] }
> = {
  SyncStep1: { bytes: frame(0, 0, new Uint8Array([0])), pass: READ },
  'an empty SyncStep2': { bytes: frame(0, 1, new Uint8Array([0, 0])), pass: READ },
  'a SyncStep2 with an edit': { bytes: ({ edit }) => frame(0, 1, edit), pass: WRITE },
  'an edit': { bytes: ({ edit }) => frame(0, 2, edit), pass: WRITE },
  'a deletion': { bytes: ({ removal }) => frame(0, 2, removal), pass: WRITE },
  awareness: { bytes: frame(1, frame(1, 5, 1, json)), pass: READ },
  'query awareness': { bytes: frame(3), pass: READ },
  barrier: { bytes: frame(100, 7), pass: READ },
}

describe.each(Object.entries(FRAMES))('%s', (name, { bytes, pass }) => {
  it.each(WHO)('[AUTH-2] as %s', async (who) => {
    const client = await connect(who)
    if (typeof client === 'number') {
      expect(pass).not.toContain(who)
      expect(client).toBe(who === 'other workspace' || who.includes('token') ? 403 : 401)
      return
    }
    const own = edits()
    if (name === 'a deletion') {
      // It is there: what is refused is not a gap.
      const first = (await connect('owner')) as RawClient
      first.update(own.edit)
      await first.barrier()
      await first.close()
    }
    client.send(typeof bytes === 'function' ? bytes(own) : bytes)
    const outcome = await Promise.race([client.barrier().then(() => 'taken'), client.closed])
    if (pass.includes(who)) expect(outcome).toBe('taken')
    else expect(outcome).toBe(4403)
    client.ws.terminate()
  })
})

it('[AUTH-12] what a reader tried changed nothing', async () => {
  const fresh = new Y.Doc()
  fresh.getMap('reader').set('was', 'here')
  const reader = (await connect('read')) as RawClient
  reader.update(Y.encodeStateAsUpdate(fresh))
  expect(await reader.closed).toBe(4403)
  const watcher = (await connect('read')) as RawClient
  const doc = new Y.Doc()
  watcher.onUpdate = (update) => Y.applyUpdate(doc, update)
  watcher.subscribe()
  await watcher.barrier()
  expect(doc.getMap('reader').size).toBe(0)
  // What it knows to be deleted, which is all that a reader's SyncStep2 has, is no offence.
  doc.getMap('mine')
  watcher.send(frame(0, 1, Y.encodeStateAsUpdate(doc, Y.encodeStateVector(doc))))
  await watcher.barrier()
  watcher.ws.terminate()
})

it('[AUTH-13] [AUTH-53] a ticket stands in a URL for a credential, and not after that is revoked', async () => {
  const one = await member(server, 'a-ticketed')
  const { data } = await ask<{ ticket: string }>(server, '/api/ticket', {}, one.headers)
  const url = `${server.sync}/default?ticket=${data.ticket}`
  const client = await RawClient.open(url, {})
  await client.barrier()
  await ask(server, '/api/admin/revoke', { which: 'a-ticketed' })
  expect(await client.closed).toBe(4401)
  const late = new RawClient(url, {})
  const status = await new Promise((resolve) =>
    late.ws.on('unexpected-response', (_request, answer) => resolve(answer.statusCode)),
  )
  expect(status).toBe(401)
  // A credential itself is not taken from a URL.
  const bare = new RawClient(`${server.sync}/default?ticket=${server.token}`, {})
  const refused = await new Promise((resolve) =>
    bare.ws.on('unexpected-response', (_request, answer) => resolve(answer.statusCode)),
  )
  expect(refused).toBe(401)
})

const connections = async (): Promise<number> => {
  const answer = await globalThis.fetch(`${server.url}/metrics`, { headers: headers.owner })
  return Number(/^clawlink_connections (\d+)$/m.exec(await answer.text())?.[1])
}

it('[AUTH-6] revoking cuts live connections within a second', async () => {
  const one = await member(server, 'a-cut', 'admin')
  const client = await RawClient.open(`${server.sync}/default`, one.headers)
  await client.barrier()
  // No timer fires: the connection ends with the revocation, and not with a later look or a heartbeat.
  vi.useFakeTimers({ toFake: ['setTimeout', 'setInterval'] })
  const revoked = ask(server, '/api/admin/revoke', { which: 'a-cut' })
  const code = revoked.then(() => client.closed).finally(() => vi.useRealTimers())
  expect(await code).toBe(4401)
  const again = await ask(server, '/api/ticket', {}, one.headers)
  expect([again.status, again.error?.code]).toEqual([401, 'revoked'])
  const before = await connections() // one that reads nothing is cut, too
  const deaf = await member(server, 'a-deaf')
  const stuck = await RawClient.open(`${server.sync}/default`, deaf.headers)
  stuck.ws.pause()
  await ask(server, '/api/admin/revoke', { which: 'a-deaf' })
  await until('it is gone', async () => (await connections()) === before)
  stuck.ws.terminate()
})
