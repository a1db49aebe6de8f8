import { afterAll, beforeAll, expect, it } from 'vitest'
import { httpToken, Plain, polled } from '../../support/http-agents/plain-client.ts'
import { type Server, startServer } from '../../support/server.ts'

let server: Server
let plain: Plain
beforeAll(async () => {
  server = await startServer()
  plain = new Plain(server.url, await httpToken(server))
  for (const agent_id of ['lead', 'worker', 'ping', 'pong', 'many']) {
    await plain.post('/register', { agent_id, name: agent_id })
  }
})
afterAll(() => server.stop())

const give = (from_agent: string, to_agent: string) =>
  plain.post('/delegate', { from_agent, to_agent, task: 'next' })

it('[MSG-14] a script that gives 300 tasks in a row is not stopped', async () => {
  for (let i = 0; i < 300; i++) {
    expect(await give('many', 'worker'), `${i}`).toMatchObject({ http: 200 })
  }
})

it('[MSG-11] a coordinator gives 40 tasks, each once the one before has ended', async () => {
  await plain.post('/register', { agent_id: 'second', name: 'second' })
  for (let i = 0; i < 40; i++) {
    const { http, message_id } = await give('lead', 'second')
    expect(http, `${i}`).toBe(200)
    await polled(plain, 'second', (all) => all.some((one) => one.message_id === message_id))
    const answer = { from_agent: 'second', to_agent: 'lead', message_id, result: 'ok' }
    const said = { from_agent: 'second', content: `done ${i}` }
    expect(await plain.post('/broadcast', said), `${i}`).toMatchObject({ http: 200 })
    expect(await plain.post('/respond', answer)).toMatchObject({ http: 200 })
    await polled(plain, 'lead', (all) => all.some(({ status }) => status === 'completed'))
  }
})

it('[MSG-5] two that answer tasks with tasks are stopped', async () => {
  let answer = await give('ping', 'pong')
  let turns = 1
  for (; answer.http === 200 && turns < 50; turns++) {
    const [who, other] = turns % 2 === 0 ? ['ping', 'pong'] : ['pong', 'ping']
    await polled(plain, who, (all) => all.some(({ type }) => type === 'task_delegation'))
    answer = await give(who, other)
  }
  expect(answer).toMatchObject({ http: 429, code: 'storm' })
  expect(answer.error).toMatch(
    /the limit is 16: agents may be in a loop; if this is not a loop, repeat with "reset_trace": true$/,
  )
  expect(turns).toBe(34)
})
