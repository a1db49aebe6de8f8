import { afterAll, beforeAll, expect, it } from 'vitest'
import { joinLink, type Role } from '../../../protocol/roles.ts'
import { type Agent, killLink, registered, WAYS } from '../../support/agent.ts'
import { invite } from '../../support/auth/members.ts'
import { until } from '../../support/client.ts'
import { type Server, startServer } from '../../support/server.ts'

let server: Server
let peer: Agent & { id: string }
beforeAll(async () => {
  server = await startServer()
  peer = await registered(server.url, 'Peer')
})
afterAll(() => server.stop())

const joins = async (one: Agent, role: Role) => {
  const stdin = joinLink(server.url, 'default', await invite(server, { role }))
  const ran = await one.runWith({ stdin }, 'join', '-')
  expect(ran.code, ran.stderr).toBe(0)
  return ran
}
const put = (one: Agent, key: string, content: string) =>
  one.runWith({ stdin: content }, 'file-put', '--key', key, '--file', '-', '--json')
const read = (one: Agent, key: string) => one.run('file-get', '--key', key)

it('[LINK-19] who may only read any more is told so, goes on reading, and keeps what it wrote', async () => {
  const both = await Promise.all(
    WAYS.map(async (way) => ({ way, one: await registered(server.url, `Ann ${way}`, way) })),
  )
  const { port, data } = server
  await server.stop()
  for (const { way, one } of both) {
    const late = (await put(one, `${way}.md`, 'late')).json()
    expect(late.data).toMatchObject({ durable: false })
    // Before it may only read, the link would send it.
    if (way === 'link') await killLink(one.home)
  }
  server = await startServer({ port, data })
  await put(peer, 'new.md', 'new')

  const demoted = async ({ way, one }: (typeof both)[number]) => {
    expect((await joins(one, 'read')).stderr).toContain('only reads')
    const refused = (await put(one, 'new.md', 'other')).json()
    expect(refused.error).toMatchObject({ code: 'not_allowed' })
    expect(refused.error?.hint).toContain('the role write')
    expect((await read(one, 'new.md')).stdout).toBe('new')
    expect((await read(one, `${way}.md`)).stdout).toBe('late')
    expect((await one.run('poll')).code).toBe(0)
    if (way === 'alone') return
    const { stdout } = await one.run('status', '--json')
    expect(JSON.parse(stdout).data.profiles).toMatchObject([
      { connected: true, role: 'read', unsent: true },
    ])
    expect((await one.run('status')).stdout).toContain('only reads; changes made here are kept')
  }
  await Promise.all(both.map(demoted))
  expect((await peer.run('file-list')).stdout).not.toMatch(/(link|alone)\.md/)
  expect(server.log()).not.toContain('4403')

  const promoted = async ({ way, one }: (typeof both)[number]) => {
    await joins(one, 'write')
    if (way === 'alone') await one.run('file-list')
    await until('it goes out', async () => (await read(peer, `${way}.md`)).stdout === 'late')
  }
  await Promise.all(both.map(promoted))
})
