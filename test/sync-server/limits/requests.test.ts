import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createApp } from '../../../sync-server/app.ts'
import type { AppEnv } from '../../../sync-server/routes/env.ts'
import { registeredHere } from '../../support/agent.ts'
import { ask, bearer, type Member, member } from '../../support/auth/members.ts'
import { until } from '../../support/client.ts'
import { httpToken } from '../../support/http-agents/plain-client.ts'
import { startHere } from '../../support/in-process.ts'
import { fetch, type ServerAt } from '../../support/server.ts'

let server: ServerAt
beforeAll(async () => {
  server = await startHere({ args: ['--limit', 'requests=1', '--log-level', 'error'] })
})
afterAll(() => server.stop())

interface Answered {
  status: number
  after: string | null
  error?: { code: string; retry_after?: number }
}

const asked = async (method: string, path: string, headers: object): Promise<Answered> => {
  const body = method === 'GET' ? null : '{}'
  const answer = await globalThis.fetch(server.url + path, {
    ...{ method, headers: { ...headers }, body },
  })
  const after = answer.headers.get('retry-after')
  const text = await answer.text()
  const { error, ...beside } = answer.status === 429 ? JSON.parse(text) : {}
  // Outside /api/ `error` is 1.x's text, and the rest stands beside it.
  return { status: answer.status, after, error: typeof error === 'string' ? beside : error }
}

/** Asks until there has been too much of it: ten at once, one a second. */
const tooOften = async (method: string, path: string, headers: object): Promise<Answered> => {
  let last: Answered | undefined
  await until(`${method} ${path} is asked too often`, async () => {
    last = await asked(method, path, headers)
    return last.status === 429
  })
  return last!
}

it('[LIM-31] every route, and what is none, refuses who asks too often, agent or token; not others', async () => {
  const ann = await member(server, 'a-ann000000001', 'read')
  const bob = await member(server, 'a-bob000000001', 'read')
  const token = bearer(await httpToken(server))
  const routes = createApp({ updateLog: {} } as unknown as AppEnv).routes
  const table = routes
    .filter(({ method, path }) => method !== 'ALL' && path !== '/api/join')
    .map(({ method, path }) => [method, path.replace(/:\w+(\{[^}]*\})?/g, 'x')] as const)
  expect(table.length).toBeGreaterThan(50)
  const refused = {
    status: 429,
    after: '1',
    error: { code: 'too_many', retryable: true, retry_after: 1 },
  }
  for (const [method, path] of [...table, ['GET', '/nowhere'] as const]) {
    const whose = path.startsWith('/api') ? ann.headers : token
    expect(await tooOften(method, path, whose), `${method} ${path}`).toMatchObject(refused)
  }
  expect((await asked('GET', '/discover', bob.headers)).status).toBe(200)
  for (let i = 0; i < 20; i++) expect((await fetch(`${server.url}/discover`)).status).toBe(200)
})

it('[LIM-31] what is refused is not done, and does not make the wait longer', async () => {
  const cat = await member(server, 'a-cat000000001')
  const at = '/api/workspaces/default/'
  await ask(server, `${at}register`, { name: 'Cat' }, cat.headers)
  const say = () => ask(server, `${at}broadcasts`, { content: 'miau' }, cat.headers)
  const all = await Promise.all(Array.from({ length: 50 }, say))
  const done = all.filter(({ status }) => status === 200).length
  expect(all.filter(({ status }) => status === 429).length).toBe(50 - done)
  const { data } = await ask<{ broadcasts: object[] }>(server, `${at}log?for=${cat.agent}`)
  expect(data.broadcasts.length).toBe(done)
  await until('a request is answered again', async () => (await say()).status === 200)
})

/** The credential with which a home's agent asks. */
const credentialOf = (home: string): Member['headers'] => {
  const [file] = readdirSync(join(home, 'credentials'))
  const { token } = JSON.parse(readFileSync(join(home, 'credentials', file!), 'utf8'))
  return bearer(token)
}

it('[LIM-31] [LIM-52] a command waits as long as it is told to, once; then it says what is wrong', async () => {
  const dan = await registeredHere(server.url, 'Dan')
  const headers = credentialOf(dan.home)
  await tooOften('GET', '/discover', headers)
  // Nothing to claim: it was answered.
  expect((await dan.run('claim', '--json')).json().error?.code).toBe('nothing_to_claim')

  let isOver = false
  const flood = Array.from({ length: 8 }, async () => {
    while (!isOver) await asked('GET', '/discover', headers)
  })
  await until('none is left for the command', async () => {
    const ran = await dan.run('claim', '--json')
    const { code, retryable } = ran.json().error!
    if (code !== 'too_many') return false
    expect(ran.code).toBe(4)
    expect(retryable).toBe(true)
    return true
  })
  isOver = true
  await Promise.all(flood)
})
