import { afterAll, beforeAll, expect, it } from 'vitest'
import { agentHere, registeredHere } from '../../support/agent.ts'
import { ask } from '../../support/auth/members.ts'
import { until } from '../../support/client.ts'
import { startHere } from '../../support/in-process.ts'
import { type ServerAt, tempDir } from '../../support/server.ts'

let server: ServerAt
beforeAll(async () => {
  server = await startHere()
})
afterAll(() => server.stop())

it('[NAME-8] [NAME-9] a name is one agent’s while it is here, and free once it has left or was revoked', async () => {
  const ann = await registeredHere(server.url, 'ann')
  const first = await registeredHere(server.url, 'worker')
  const send = async () => {
    const ran = await ann.atLink('send', '--to', 'worker', '--content', 'hi', '--json')
    return ran.code === 0
      ? (ran.json().data as { message: { to_agent: string } }).message.to_agent
      : ran
  }
  const second = agentHere(server.url, tempDir('home'))
  const register = () => second.atLink('register', '--name', 'Worker', '--json')
  const taken = await register()
  expect(taken.code).toBe(4)
  expect(taken.json().error).toMatchObject({
    code: 'name_taken',
    message: expect.stringContaining(first.id),
  })
  expect((await second.atLink('poll')).code, 'it is not registered').toBe(3)
  expect(await send()).toBe(first.id)

  await first.ask('leave')
  const { agent_id } = (await register()).json().data as { agent_id: string }
  expect(await send()).toBe(agent_id)

  await ask(server, '/api/admin/revoke', { which: agent_id })
  const third = agentHere(server.url, tempDir('home'))
  await until(
    'the name of one that was revoked is free',
    async () => (await third.atLink('register', '--name', 'worker')).code === 0,
  )
  expect(await send()).not.toBe(agent_id)
})
