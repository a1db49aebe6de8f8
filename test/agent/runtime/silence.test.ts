import { afterAll, beforeAll, expect, it } from 'vitest'
import { readPresence } from '../../../workspace/agents/presence.ts'
import { type Agent, agent, killLink, linkPid, registered } from '../../support/agent.ts'
import { stockClient, until } from '../../support/client.ts'
import { startProxy } from '../../support/proxy.ts'
import { type Server, startServer } from '../../support/server.ts'

type Poll = { messages: { content?: string }[] }

/** Seconds, in place of 12 and 10. */
const env = { CLAWLINK_HEARTBEAT: '0.5', CLAWLINK_LINK_BEAT: '0.25' }

let server: Server
let lead: Agent & { id: string }
beforeAll(async () => {
  server = await startServer({ env })
  lead = await registered(server.url, 'Lead')
})
afterAll(() => server.stop())

/** An agent whose link looks often whether the server is there. */
const alert = async (url: string, name: string): Promise<Agent & { id: string }> => {
  const one = agent(url)
  const ran = await one.runWith({ env }, 'register', '--name', name, '--json')
  return { ...one, id: String(ran.json().data?.agent_id) }
}

const isConnected = async (one: Agent) => {
  const { profiles } = await one.ask<{ profiles: { connected: boolean }[] }>('status')
  return profiles[0]?.connected
}

/** How others see it: an agent that was here all the time, and how many connections a newcomer is told of. */
const seen = async ({ id }: { id: string }) => {
  const { agents } = await lead.ask<{ agents: { agent_id: string; status: string }[] }>('discover')
  const newcomer = stockClient(server.sync)
  await newcomer.synced
  const { awareness } = newcomer.provider
  await until('it hears of the others', () => awareness.getStates().size > 1)
  const states = [...awareness.getStates().values()].map(readPresence)
  newcomer.close()
  return {
    status: agents.find(({ agent_id }) => agent_id === id)?.status,
    connections: states.filter((presence) => presence?.agent.id === id).length,
  }
}
const becomes = (one: { id: string }, status: string, connections: number) =>
  until(`it is ${status}`, async () => {
    const now = await seen(one)
    return now.status === status && now.connections === connections
  })

/** What is unread, once there is something. */
const heard = async (one: Agent) =>
  (await one.ask<Poll>('poll', '--type', 'knowledge_broadcast', '--wait', '60')).messages.map(
    ({ content }) => content,
  )

it('[LINK-16] a server that is silently dead is noticed; what is written meanwhile is queued and arrives once', async () => {
  const one = await alert(server.url, 'Alert')
  const queues = async (content: string) => {
    const ran = await one.run('broadcast', '--content', content, '--json')
    expect(ran).toMatchObject({ code: 0 })
    expect(ran.json().data).toMatchObject({ durable: false })
    expect(ran.stderr).toMatch(/queued until it is back\n$/)
  }
  server.process.kill('SIGSTOP')
  await queues('before it is noticed')
  await until('it is noticed', async () => (await isConnected(one)) === false)
  await queues('after')
  server.process.kill('SIGCONT')
  const got: (string | undefined)[] = []
  while (got.length < 2) got.push(...(await heard(lead)))
  expect(got).toEqual(['before it is noticed', 'after'])
  await until('it is connected', async () => (await isConnected(one)) === true)

  server.process.kill('SIGSTOP')
  await queues('before a restart')
  const { port, data } = server
  await server.kill()
  server = await startServer({ port, data, env })
  expect(await heard(lead)).toEqual(['before a restart'])
  await until('it is connected', async () => (await isConnected(one)) === true)
  await one.ask('broadcast', '--content', 'last')
  expect(await heard(lead)).toEqual(['last'])
})

it('[LINK-17] a link that slept is seen to be gone, and connects again by itself, as one', async () => {
  const proxy = await startProxy(server.port)
  const one = await alert(proxy.url, 'Sleeper')
  await becomes(one, 'online', 1)
  const pid = linkPid(one.home)!
  process.kill(pid, 'SIGSTOP')
  proxy.stall()
  await becomes(one, 'stale', 0)
  await lead.ask('broadcast', '--content', 'sleep well')
  process.kill(pid, 'SIGCONT')
  await becomes(one, 'online', 1)
  expect(await heard(one)).toEqual(['sleep well'])
  expect(linkPid(one.home)).toBe(pid)
  proxy.close()
})

it('[LINK-12] a killed link is seen to be gone, also where its connection is cut silently', async () => {
  const proxy = await startProxy(server.port)
  const one = await alert(proxy.url, 'Killed')
  await becomes(one, 'online', 1)
  await killLink(one.home)
  await becomes(one, 'stale', 0)
  await one.runWith({ env }, 'discover')
  await becomes(one, 'online', 1)
  proxy.stall()
  await killLink(one.home)
  await becomes(one, 'stale', 0)
  proxy.close()
})
