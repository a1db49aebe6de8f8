import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ask, member } from '../../support/auth/members.ts'
import { httpToken, Plain, type PlainAnswer } from '../../support/http-agents/plain-client.ts'
import { startHere } from '../../support/in-process.ts'
import type { ServerAt } from '../../support/server.ts'

let server: ServerAt
const token = { default: '', team: '' }
beforeAll(async () => {
  server = await startHere({ args: ['--limit', 'failures=1000000'] })
  token.default = await httpToken(server)
  token.team = await httpToken(server, { workspace: 'team' })
})
afterAll(() => server.stop())
const text = expect.any(String)

describe('what is wrong', () => {
  let ann: Plain
  let other: Plain
  beforeAll(async () => {
    ann = new Plain(server.url, token.default)
    other = new Plain(server.url, await httpToken(server))
    await ann.post('/register', { agent_id: 'w-ann', name: 'Wrong Ann' })
    await ann.post('/register', { agent_id: 'w-bob', name: 'Wrong Bob' })
    await other.post('/register', { agent_id: 'w-eve', name: 'Eve' })
  })

  const codeOf = async (answer: Promise<PlainAnswer>) => {
    const { http, ok, error, ...beside } = await answer
    expect(ok).toBe(false)
    // In 1.x's routes the error is a text, with the fields of ours beside it.
    const said = typeof error === 'string' ? beside : error
    expect(said).toMatchObject({ message: text, hint: text, retryable: expect.any(Boolean) })
    return [http, said.code]
  }

  it('[HTTP-4] [HTTP-23] unknown recipients are refused, with who may have been meant', async () => {
    const answer = await ann.post('/delegate', {
      ...{ from_agent: 'w-ann', to_agent: 'Wrong Bobb', task: 't' },
    })
    expect(answer).toMatchObject({ http: 404, code: 'unknown_agent' })
    expect(answer.error).toContain('Wrong Bob')
  })

  it.each([
    ['POST', '/register', { agent_id: 'no spaces' }, 400, 'bad_name'],
    ['POST', '/register', { agent_id: '..' }, 400, 'bad_name'],
    ['POST', '/register', { agent_id: 'x'.repeat(65) }, 400, 'bad_name'],
    ['POST', '/register', { agent_id: 'server' }, 400, 'bad_name'],
    ['POST', '/register', { agent_id: 'w-x', name: 'two\nlines' }, 400, 'bad_name'],
    ['POST', '/register', [], 400, 'usage'],
    ['POST', '/heartbeat', {}, 400, 'usage'],
    ['POST', '/broadcast', { from_agent: 'w-nobody', content: 'c' }, 404, 'not_registered'],
    ['POST', '/delegate', { from_agent: 'w-ann', to_agent: 'w-bob', task: '' }, 400, 'usage'],
    ['POST', '/broadcast', { from_agent: 'w-ann' }, 400, 'usage'],
    [
      ...(['POST', '/broadcast'] as const),
      { from_agent: 'w-ann', content: 'x'.repeat(70_000) },
      ...([413, 'too_large'] as const),
    ],
    [
      ...(['POST', '/broadcast'] as const),
      { from_agent: 'w-ann', content: 'x'.repeat(1_100_000) },
      ...([413, 'too_large'] as const),
    ],
    [
      ...(['POST', '/respond'] as const),
      { from_agent: 'w-ann', to_agent: 'w-bob', message_id: 't-0', result: 'r' },
      ...([404, 'unknown_task'] as const),
    ],
    ['GET', '/files/none.md', undefined, 404, 'unknown_file'],
    ['POST', '/files', { agent_id: 'w-ann', file_key: '../x', content: '' }, 400, 'bad_path'],
    ['POST', '/files', { agent_id: 'w-ann', file_key: 'x', content: '\0' }, 400, 'bad_text'],
    ['GET', '/nothing', undefined, 403, 'not_allowed'],
  ] as const)('[HTTP-4] %s %s %j is %i %s', async (method, path, body, http, code) => {
    const answer = method === 'GET' ? ann.get(path) : ann.post(path, body!)
    expect(await codeOf(answer)).toEqual([http, code])
  })

  it('[HTTP-4] what is no JSON is said to be none', async () => {
    const answer = await globalThis.fetch(`${server.url}/heartbeat`, {
      ...{ method: 'POST', headers: ann.headers, body: '{"agent_id":' },
    })
    expect([answer.status, ((await answer.json()) as PlainAnswer).code]).toEqual([400, 'bad_json'])
  })

  it('[HTTP-4] what is nested without end is refused, not gone through', async () => {
    const deep = `${'['.repeat(200_000)}${']'.repeat(200_000)}`
    for (const [path, field] of [
      ['/delegate', '"task":"t","context"'],
      ['/respond', '"message_id":"t-0","result"'],
    ]) {
      const answer = await globalThis.fetch(server.url + path, {
        ...{ method: 'POST', headers: ann.headers },
        body: `{"from_agent":"w-ann","to_agent":"w-bob",${field}:${deep}}`,
      })
      expect([answer.status, ((await answer.json()) as PlainAnswer).code]).toEqual([
        400,
        'bad_json',
      ])
    }
  })

  it('[HTTP-3] no other token speaks for an agent, nor a token for who joined', async () => {
    const joined = await member(server, 'w-joined')
    const httpAgent = new Plain(server.url, joined.token)
    const mine = (as: string) => [
      ['/register', { agent_id: as, name: 'Mine' }],
      ['/heartbeat', { agent_id: as }],
      ['/delegate', { from_agent: as, to_agent: 'w-bob', task: 't' }],
      ['/broadcast', { from_agent: as, content: 'c' }],
      ['/respond', { from_agent: as, to_agent: 'w-bob', message_id: 't-0', result: 'r' }],
      ['/files', { agent_id: as, file_key: 'f', content: 'c' }],
    ]
    for (const [speaker, as] of [
      [other, 'w-ann'],
      [other, 'w-joined'],
      [ann, 'w-joined'],
      [httpAgent, 'w-ann'],
    ] as const) {
      for (const [path, body] of mine(as)) {
        expect(await codeOf(speaker.post(path as string, body as object)), `${path}`).toEqual([
          403,
          'forged',
        ])
      }
      expect(await codeOf(speaker.get(`/poll/${as}`))).toEqual([403, 'forged'])
      expect(await codeOf(speaker.get(`/files/f?agent_id=${as}`))).toEqual([403, 'forged'])
    }
    // With a credential one is oneself, and says so or not.
    expect(await httpAgent.post('/register', { name: 'Joined' })).toMatchObject({
      agent: { agent_id: 'w-joined' },
    })
    expect((await httpAgent.get('/poll/w-joined')).http).toBe(200)
    // Who joined cannot take an HTTP agent's id either.
    await expect(member(server, 'w-ann')).rejects.toThrow('is already taken in this workspace')
    expect(server.log()).toContain('in another name')
  })

  it('[HTTP-14] [HTTP-27] a token is for the 1.x routes of its workspace only, and not a ticket', async () => {
    for (const path of ['/w/team/discover', '/api/workspaces/default/log', '/metrics']) {
      expect(await codeOf(ann.get(path)), path).toEqual([403, 'not_allowed'])
    }
    expect(await codeOf(ann.post('/api/ticket', {}))).toEqual([403, 'not_allowed'])
    const inUrl = await globalThis.fetch(
      `${server.url}/api/workspaces/default/log?token=${token.default}`,
    )
    expect(inUrl.status).toBe(401)
    // In a URL no other secret is taken.
    const joined = await member(server, 'w-url')
    const answer = await globalThis.fetch(`${server.url}/discover?token=${joined.token}`)
    expect(answer.status).toBe(401)
    const { data } = await ask<{ invites: { http?: string; invite: string }[] }>(
      server,
      '/api/admin/invites?workspace=default',
    )
    expect(JSON.stringify(data)).not.toContain('clh_')
    expect(data.invites.filter(({ http }) => http !== undefined).length).toBeGreaterThan(1)
  })

  it('[HTTP-14] the data folder has no token in it', () => {
    const files = readdirSync(server.data, { recursive: true, encoding: 'utf8' })
      .map((file) => join(server.data, file))
      .filter((file) => statSync(file).isFile() && !file.endsWith('owner.json'))
    const found = files.filter((file) => readFileSync(file).includes('clh_'))
    expect(files.some((file) => file.endsWith('.log'))).toBe(true)
    expect(found).toEqual([])
  })

  it('[HTTP-14] one agent of a token can be revoked by itself', async () => {
    await ann.post('/register', { agent_id: 'w-out', name: 'Out' })
    await ask(server, '/api/admin/revoke', { which: 'w-out', workspace: 'default' })
    expect(await codeOf(ann.get('/poll/w-out'))).toEqual([401, 'revoked'])
    expect(await codeOf(ann.post('/register', { agent_id: 'w-out' }))).toEqual([401, 'revoked'])
    expect((await ann.post('/heartbeat', { agent_id: 'w-bob' })).http).toBe(200)
  })

  it('[HTTP-14] revoking a token ends it for all of its agents', async () => {
    const made = await ask<{ invite: string; secret: string }>(server, '/api/admin/invite', {
      ...{ workspace: 'default', http: 'short-lived' },
    })
    const httpAgent = new Plain(server.url, made.data.secret)
    await httpAgent.post('/register', { agent_id: 'w-gone', name: 'Gone' })
    await httpAgent.get('/poll/w-gone') // what a newcomer is told
    const waiting = httpAgent.get('/poll/w-gone?wait=30')
    const agent = await ask(server, '/api/admin/revoke', { which: made.data.invite })
    expect(agent.status).toBe(200)
    expect(await codeOf(httpAgent.get('/poll/w-gone'))).toEqual([401, 'unauthorized'])
    // What it is waiting for does not come any more.
    await ann.post('/broadcast', { from_agent: 'w-ann', content: 'not for who is gone' })
    expect(await codeOf(waiting)).toEqual([401, 'unauthorized'])
    const { data } = await ask<{ entries: { what: string; note: string }[] }>(
      server,
      '/api/admin/audit',
    )
    const said = data.entries.map(({ what, note }) => `${what} ${note}`).join('\n')
    expect(said).toContain('token short-lived')
    expect(said).toContain(`registered write by token ${made.data.invite}`)
    expect(said).toContain(`revoked ${made.data.invite}`)
  })
})

it('[HTTP-14] [HTTP-28] wrong tokens are counted, in the URL, too, and a good one is not held up', async () => {
  const strict = await startHere({ args: ['--limit', 'failures=2'] })
  const good = new Plain(strict.url, await httpToken(strict))
  const wrong = `clh_${'x'.repeat(43)}`
  const statuses: number[] = []
  for (let i = 0; i < 4; i++) {
    statuses.push((await globalThis.fetch(`${strict.url}/discover?token=${wrong}`)).status)
  }
  expect(statuses).toEqual([401, 401, 429, 429])
  expect((await good.get('/discover')).http).toBe(200)
  await strict.stop()
})
