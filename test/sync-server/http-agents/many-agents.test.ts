import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { ask } from '../../support/auth/members.ts'
import { Client1x } from '../../support/http-agents/client-1x.ts'
import { MINUTE_MS, passUntilNobody } from '../../support/http-agents/clock.ts'
import { httpToken } from '../../support/http-agents/plain-client.ts'
import { serveHere } from '../../support/in-process.ts'

let server: Awaited<ReturnType<typeof serveHere>>
beforeAll(async () => {
  // The clock goes on by itself, and can be moved.
  vi.useFakeTimers({ toFake: ['Date'], shouldAdvanceTime: true })
  server = await serveHere('--limit', 'requests=100000')
})
afterAll(async () => {
  await server.close()
  vi.useRealTimers()
})

it('[HTTP-22] [HTTP-30] 1,050 registrations in a row; from 1,000 on newcomers get the ids of those who are gone', async () => {
  const own = await httpToken(server)
  const register = async (name: string) => {
    const client = new Client1x(server.url, own)
    await client.register(name)
    return client
  }
  const ids = new Set<string>()
  const [lead, worker] = [await register('many-lead'), await register('many-worker')]
  await lead.delegate(worker.agentId!, 'still open')
  for (let i = 0; i < 1_050; i++) ids.add((await register(`many-${i}`)).agentId!)
  expect(ids.size).toBe(1_050)
  await passUntilNobody(server.url, own, 3 * MINUTE_MS)
  const gone = await register('many-again')
  await lead.broadcast('not for who comes later')
  const newcomers = [await register('newcomer-1'), await register('newcomer-2'), gone]
  for (const one of newcomers) expect(ids).toContain(one.agentId)
  expect(new Set(newcomers.map(({ agentId }) => agentId)).size).toBe(3)
  // An id that was chosen is kept, and takes the place of one that is gone.
  const members = async () =>
    (await ask<{ agents: object[] }>(server, '/api/admin/agents?workspace=default')).data.agents
  const before = (await members()).length
  await lead.call('POST', 'register', { agent_id: 'chosen-by-me', name: 'chosen' })
  expect(await lead.call('GET', 'poll/chosen-by-me')).toMatchObject({ messages: [] })
  expect((await members()).length).toBe(before)
  // Of who had that id before nothing is left; who has an open task keeps its own.
  const mail = await Promise.all([newcomers[0]!.poll(), newcomers[1]!.poll()])
  expect(mail).toEqual([[], []])
  expect((await worker.polls(1)).map(({ task }) => task)).toContain('still open')
  const names = (await lead.discover()).map(({ name }) => name)
  expect(names.sort()).toEqual(
    ['chosen', 'many-again', 'many-lead', 'many-worker', 'newcomer-1', 'newcomer-2'].sort(),
  )
}, 300_000)
