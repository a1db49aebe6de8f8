import { afterAll, beforeAll, expect, it } from 'vitest'
import { ask, bearer, type Member, member } from '../../support/auth/members.ts'
import { until } from '../../support/client.ts'
import { httpToken } from '../../support/http-agents/plain-client.ts'
import { startHere } from '../../support/in-process.ts'
import { fetch, type ServerAt } from '../../support/server.ts'

const MOST = 100_000
let server: ServerAt
let [ann, bob] = [] as unknown as [Member, Member]
const at = (path: string): string => `/api/workspaces/default/${path}`

interface Said {
  status: number
  code: string | undefined
  // biome-ignore lint/suspicious/noExplicitAny: each test says what it expects
  data: any
}
const say = async (
  { headers }: Pick<Member, 'headers'>,
  path: string,
  body: object,
  method = 'POST',
): Promise<Said> => {
  const answer = await fetch(server.url + path, { method, headers, body: JSON.stringify(body) })
  const { data, error, ...plain } = (await answer.json()) as {
    data?: object
    error?: { code: string }
    code?: string
  }
  return { status: answer.status, code: plain.code ?? error?.code, data: data ?? plain }
}

beforeAll(async () => {
  server = await startHere({
    args: ['--limit', `document=${MOST}`, '--heartbeat', '1', '--log-level', 'error'],
  })
  ann = await member(server, 'a-ann000000001')
  bob = await member(server, 'a-bob000000001')
  for (const one of [ann, bob]) await say(one, at('register'), { name: one.agent })
})
afterAll(() => server.stop())

it('[LIM-30] in a full document nothing is added by HTTP (507); what ends or frees something is done', async () => {
  const httpAgent = { headers: bearer(await httpToken(server)) }
  await say(httpAgent, '/register', { agent_id: 'g-1', name: 'guest' })
  const newTask = async (): Promise<string> => {
    const { data } = await say(ann, at('tasks'), { task: 'do it', to: bob.agent })
    return data.task.task_id
  }
  const tasks = await Promise.all(Array.from({ length: 5 }, newTask))
  const [open, worked, failing, mine, plain] = tasks as [string, string, string, string, string]
  for (const task of [worked, failing]) {
    expect(await say(bob, at(`tasks/${task}/claim`), {})).toMatchObject({ status: 200 })
  }
  await say(ann, at('messages'), { to: bob.agent, content: 'hello' })
  const text = { key: 'small.txt', content: 'one\ntwo\n' }
  expect(await say(ann, at('files/content'), text, 'PUT')).toMatchObject({ status: 200 })
  const again = { 'idempotency-key': 'before-it-was-full' }
  const keyed = { headers: { ...ann.headers, ...again } }
  const before = await say(keyed, at('broadcasts'), { content: 'x' })
  expect(before.status).toBe(200)
  // The last that goes in is what fills it.
  const large = { key: 'large.txt', content: 'a line of text\n'.repeat(MOST / 12) }
  expect(await say(ann, at('files/content'), large, 'PUT')).toMatchObject({ status: 200 })

  const adding: [Pick<Member, 'headers'>, string, object, 'PUT'?][] = [
    [ann, at('broadcasts'), { content: 'x' }],
    [ann, at('messages'), { to: bob.agent, content: 'x' }],
    [ann, at('tasks'), { task: 'more', to: bob.agent }],
    [ann, at(`tasks/${open}/note`), { text: 'x' }],
    [ann, at(`agents/${bob.agent}/pause`), {}],
    [ann, at('files/content'), { key: 'new.txt', content: 'x' }, 'PUT'],
    [ann, at('files/content'), { ...text, content: `${text.content}three\n` }, 'PUT'],
    [ann, at('files/append'), { key: 'small.txt', text: 'x' }],
    [ann, at('files/edit'), { key: 'small.txt', find: 'one', replace: 'three' }],
    [ann, at('files/move'), { key: 'small.txt', to: 'moved.txt' }],
    [bob, at(`tasks/${open}/claim`), {}],
    [bob, at('tasks/next'), {}],
    [bob, at(`tasks/${worked}/release`), {}],
    [bob, at(`tasks/${worked}/status`), { state: 'working', percent: 50 }],
    [bob, at(`tasks/${worked}/answer`), { text: 'x' }],
    [httpAgent, '/register', { agent_id: 'g-2', name: 'another' }],
    [httpAgent, '/broadcast', { from_agent: 'g-1', content: 'x' }],
    [httpAgent, '/delegate', { from_agent: 'g-1', to_agent: 'g-1', task: 'x' }],
    [httpAgent, '/files', { agent_id: 'g-1', file_key: 'g.txt', content: 'x' }],
  ]
  for (const [who, path, body, method] of adding) {
    const said = await say(who, path, body, method)
    expect(said, path).toMatchObject({ status: 507, code: 'quota' })
  }

  const done: [Pick<Member, 'headers'>, string, object, 'PUT'?][] = [
    [ann, at('register'), { name: 'Ann' }],
    [ann, at('heartbeat'), {}],
    [httpAgent, '/register', { agent_id: 'g-1', name: 'guest' }],
    [httpAgent, '/heartbeat', { agent_id: 'g-1' }],
    [bob, at(`tasks/${worked}/status`), { state: 'completed', message: 'done' }],
    [bob, at(`tasks/${failing}/status`), { state: 'failed', message: 'no' }],
    [ann, at(`tasks/${mine}/cancel`), {}],
    [
      bob,
      '/respond',
      { from_agent: bob.agent, to_agent: ann.agent, message_id: plain, result: 'r' },
    ],
    [ann, at('files/edit'), { key: 'small.txt', find: 'one\n', replace: '' }],
    [ann, at('files/content'), { key: 'small.txt', content: 'two' }, 'PUT'],
    [ann, at('files/remove'), { key: 'small.txt' }],
  ]
  for (const [who, path, body, method] of done) {
    expect(await say(who, path, body, method), path).toMatchObject({ status: 200 })
  }
  const inbox = await ask<{ messages: { message_id: string }[] }>(
    ...([server, at('inbox'), undefined, bob.headers] as const),
  )
  const ids = inbox.data.messages.map(({ message_id }) => message_id)
  expect(ids.length).toBeGreaterThan(0)
  expect((await say(bob, at('inbox/ack'), { ids })).data.acknowledged).toBe(ids.length)
  // What was done before is answered again.
  expect(await say(keyed, at('broadcasts'), { content: 'x' })).toEqual(before)

  const empty = { key: 'large.txt', content: '', force: true }
  expect(await say(ann, at('files/content'), empty, 'PUT')).toMatchObject({ status: 200 })
  await until('there is room again', async () => {
    const { status } = await say(ann, at('broadcasts'), { content: 'room' })
    return status === 200
  })
})
