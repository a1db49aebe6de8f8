import { once } from 'node:events'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import {
  httpToken,
  Plain,
  type PlainAnswer,
  polled,
} from '../../support/http-agents/plain-client.ts'
import { startHere } from '../../support/in-process.ts'
import type { ServerAt } from '../../support/server.ts'

let server: ServerAt
let plain: Plain
let token = ''
beforeAll(async () => {
  server = await startHere({ args: ['--limit', 'failures=1000000'] })
  token = await httpToken(server)
  plain = new Plain(server.url, token)
  for (const agent_id of ['ann', 'bob']) await plain.post('/register', { agent_id, name: agent_id })
})
afterAll(() => server.stop())

const HEAD = '"from_agent":"ann","to_agent":"bob","task":"t"'
const nested = (levels: number) => `${'['.repeat(levels)}${']'.repeat(levels)}`

/** What of a request's JSON is refused, and the code. */
const REFUSED: [what: string, body: string, code: string][] = [
  ['a number that is rounded', `{${HEAD},"context":{"channel":1196451234567890123}}`, 'bad_json'],
  ['a number too large', `{${HEAD},"context":1e400}`, 'bad_json'],
  ['half a character', `{${HEAD},"context":"\\ud800"}`, 'bad_json'],
  ['a key that is lost', `{${HEAD},"context":{"__proto__":{"a":1}}}`, 'bad_json'],
  ['a key twice', `{${HEAD},"task":"u"}`, 'bad_json'],
  ['17 levels', `{${HEAD},"context":${nested(17)}}`, 'usage'],
  ['5,000 levels', `{${HEAD},"context":${nested(5_000)}}`, 'bad_json'],
  ['a blank task', `{${HEAD.replace('"t"', '" \\u200b\\n"')}}`, 'usage'],
]

it('[TEXT-11] [TEXT-12] [TEXT-13] what would not be kept as it is, or shows nothing, is refused by HTTP', async () => {
  const send = async (
    path: string,
    body: string | Uint8Array<ArrayBuffer>,
  ): Promise<PlainAnswer> => {
    const headers = { ...plain.headers, 'content-type': 'application/json' }
    const answer = await globalThis.fetch(server.url + path, { method: 'POST', headers, body })
    return { ...((await answer.json()) as PlainAnswer), http: answer.status }
  }
  for (const [what, body, code] of REFUSED) {
    const refused = { http: 400, code }
    expect(await send('/delegate', body), what).toMatchObject(refused)
  }
  const [, rounded] = REFUSED[0]!
  expect((await send('/delegate', rounded)).error).toMatch(
    /put it in quotes: "1196451234567890123"$/,
  )
  expect(
    await send('/broadcast', '{"from_agent":"ann","content":"\\u2800 \\u200b"}'),
  ).toMatchObject({
    http: 400,
    code: 'usage',
    error: expect.stringMatching(/^the content is blank/),
  })
  const latin1 = Buffer.from(`{${HEAD},"context":"caf\xe9"}`, 'latin1')
  expect(await send('/delegate', new Uint8Array(latin1))).toMatchObject({
    ...{ http: 400, code: 'bad_text' },
  })
  const kept = `\ufeff{${HEAD},"context":{"channel":"1196451234567890123","deep":${nested(15)}}}`
  expect(await send('/delegate', kept)).toMatchObject({ http: 200 })
  const [task] = await polled(plain, 'bob', (all) =>
    all.some(({ type }) => type === 'task_delegation'),
  )
  expect(task.context.channel).toBe('1196451234567890123')
})

it('[TEXT-11] [TEXT-12] [TEXT-13] the same by WebSocket, and the connection goes on', async () => {
  const ws = new WebSocket(`${server.url.replace('http', 'ws')}/ws/ann?token=${token}`)
  await once(ws, 'open')
  const got: PlainAnswer[] = []
  ws.on('message', (data) => got.push(JSON.parse(String(data)) as PlainAnswer))
  for (const [what, body, code] of REFUSED) {
    ws.send(body.replace('{', '{"type":"delegate",'))
    await expect
      .poll(() => got.find(({ type }) => type === 'error'), { message: what })
      .toBeTruthy()
    expect(got.splice(0).find(({ type }) => type === 'error')?.code, what).toBe(code)
  }
  ws.send('{"type":"heartbeat"}')
  await expect.poll(() => got.some(({ type }) => type === 'heartbeat_ack')).toBe(true)
  ws.close()
  await once(ws, 'close')
})
