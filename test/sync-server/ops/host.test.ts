import { join } from 'node:path'
import { expect, it } from 'vitest'
import { LIMITS } from '../../../sync-server/config/quotas.ts'
import { nearLimits, type ServerStatus } from '../../../sync-server/ops/host/status.ts'
import { agentHere } from '../../support/agent.ts'
import { ask, member } from '../../support/auth/members.ts'
import { RawClient, until } from '../../support/client.ts'
import { startHere } from '../../support/in-process.ts'
import { syncHere, syncJsonHere } from '../../support/ops/commands.ts'
import { tempDir } from '../../support/server.ts'

it('[ADMIN-1] status shows workspaces, agents online, disk, the last backup and limits nearly reached; stopped, too', async () => {
  const server = await startHere({ workspaces: ['docs'], args: ['--limit', 'workspaces=2'] })
  const data = ['--data', server.data]
  const ann = agentHere(server.url)
  await ann.ask('register', 'Ann')
  await ann.ask('delegate', 'Ann', 'look')
  const read = () => syncJsonHere<ServerStatus>('status', ...data)
  const of = (status: ServerStatus, name: string) =>
    status.workspaces.find(({ workspace }) => workspace === name)!
  const now = await read()
  expect(now).toMatchObject({
    ...{ running: true, url: server.url, pid: process.pid, status: 'ok' },
    ...{ last_backup: null, removed: [] },
    limits_near: [{ limit: 'workspaces', is: 2, most: 2 }],
  })
  expect(of(now, 'default')).toMatchObject({
    ...{ online: [{ name: 'Ann' }], agents: 1, open_tasks: 1 },
  })
  expect(of(now, 'default').disk_bytes).toBeGreaterThan(500)
  expect(now.disk.data_bytes).toBeGreaterThan(500)
  const backup = join(tempDir('backup'), 'one')
  await syncHere('backup', backup, ...data)
  // That one of `verify` is none.
  await syncHere('verify', ...data)
  const { stdout } = await syncHere('status', ...data)
  expect(stdout).toMatch(/^running at http:\S+, process \d+, for \d+ s: ok\n/)
  expect(stdout).toMatch(/^default +1 online \(Ann\) +1 joined +1 open task /m)
  expect(stdout).toContain(`in ${backup}`)
  expect(stdout).toContain('limits  workspaces 2 of 2')
  await server.stop()

  const stopped = await read()
  expect(stopped).toMatchObject({ running: false, last_backup: { dir: backup } })
  expect(of(stopped, 'default')).toMatchObject({ online: null, agents: 1 })
  expect((await syncHere('status', ...data)).stdout).toContain('stopped: no server uses this data')
})

it('[ADMIN-1] a limit is near from 80 % on, the nearest first', () => {
  const limits = Object.fromEntries(Object.entries(LIMITS).map(([name, { is }]) => [name, is]))
  const near = (used: object) => nearLimits(used, limits as never).map(({ limit }) => limit)
  expect(near({ workspaces: 799, invites: 800, connections: 9_900 })).toEqual([
    'connections',
    'invites',
  ])
})

it('[ADMIN-2] a removed workspace is reached by nobody, keeps its data, and comes back with its members', async () => {
  const server = await startHere({ workspaces: ['docs'] })
  const data = ['--data', server.data]
  const ann = await member(server, 'a-ann', 'write', 'docs')
  const client = await RawClient.open(`${server.sync}/docs`, ann.headers)
  const api = '/api/workspaces/docs'
  await ask(server, `${api}/register`, { name: 'Ann' }, ann.headers)
  const inbox = () =>
    ask(server, `${api}/inbox?wait=50&types=direct_message`, undefined, ann.headers)
  const waits = inbox()
  // Answered after the poll has begun, in all likelihood; a poll that comes later is refused in the same way.
  await ask(server, `${api}/agents`, undefined, ann.headers)
  const line = await syncHere('workspaces', 'remove', 'docs', ...data)
  expect([line.code, line.stdout]).toEqual([0, expect.stringContaining('its data stay')])
  expect(await client.closed).toBe(1001)
  for (const asked of [await waits, await inbox()]) {
    expect(asked).toMatchObject({ status: 404, error: { code: 'unknown_workspace' } })
  }
  const listed = () =>
    syncJsonHere<{ workspaces: { workspace: string }[]; removed: object[] }>('workspaces', ...data)
  expect(await listed()).toMatchObject({
    workspaces: [{ workspace: 'default' }],
    removed: [{ workspace: 'docs' }],
  })
  for (const args of [
    ['workspaces', 'add', 'docs'],
    ['invite', '--workspace', 'docs'],
    ['workspaces', 'remove', 'docs'],
  ]) {
    const { code, stderr } = await syncHere(...args, ...data)
    expect([code, stderr]).toEqual([3, expect.stringContaining('workspaces restore docs')])
  }
  const refused = new RawClient(`${server.sync}/docs`, ann.headers)
  const status = await new Promise((resolve) =>
    refused.ws.on('unexpected-response', (_, { statusCode }) => resolve(statusCode)),
  )
  expect(status).toBe(404)

  await server.stop()
  const again = await startHere({ data: server.data, port: server.port })
  expect(await listed()).toMatchObject({ removed: [{ workspace: 'docs' }] })
  expect((await syncHere('workspaces', 'restore', 'docs', ...data)).code).toBe(0)
  const back = await RawClient.open(`${again.sync}/docs`, ann.headers)
  await back.close()
  expect((await syncHere('workspaces', 'remove', 'default', ...data)).code).toBe(2)
  await again.stop()
})

it('[ADMIN-3] the host calls a workspace by another name; members keep theirs', async () => {
  const server = await startHere({ workspaces: ['docs', 'ops'] })
  const data = ['--data', server.data]
  expect((await syncHere('workspaces', 'rename', 'docs', 'handbook', ...data)).code).toBe(0)
  expect((await syncHere('workspaces', ...data)).stdout).toContain('handbook (docs)')
  const { workspace } = await syncJsonHere<{ workspace: string }>(
    ...['invite', '--workspace', 'handbook', ...data],
  )
  expect(workspace).toBe('docs')
  const taken = await syncHere('workspaces', 'rename', 'ops', 'handbook', ...data)
  expect([taken.code, taken.stderr]).toEqual([4, expect.stringContaining('there is a workspace')])
  await syncHere('workspaces', 'rename', 'handbook', 'docs', ...data)
  expect((await syncHere('workspaces', ...data)).stdout).toContain('docs  0 joined')
  await server.stop()
})

it('[ADMIN-4] the host changes a role in place: connections take it up, nobody joins again', async () => {
  const server = await startHere()
  const data = ['--data', server.data]
  const link = (await syncHere('invite', '--role', 'read', ...data)).stdout.trim()
  const bob = agentHere(server.url)
  expect((await bob.runWith({ stdin: link }, 'join', '-')).code).toBe(0)
  const denied = await bob.run('register', 'Bob')
  expect([denied.code, denied.stderr]).toEqual([5, expect.stringContaining('read-only link')])
  const { agents } = await syncJsonHere<{ agents: { agent_id: string }[] }>('agents', ...data)
  const id = agents[0]!.agent_id
  expect((await syncHere('role', id, 'write', ...data)).stdout).toContain(
    `${id} has the role write`,
  )
  expect((await bob.run('register', 'Bob')).code).toBe(0)
  expect((await bob.run('broadcast', 'hi')).code).toBe(0)
  // Connected, it learns it at once.
  await syncHere('role', 'Bob', 'read', ...data)
  await until('its link knows', async () => {
    const { stdout, code } = await bob.atLink('broadcast', 'ho', '--json')
    return code === 5 && stdout.includes('read-only')
  })
  const { entries } = await syncJsonHere<{ entries: { what: string; note: string }[] }>(
    ...['audit', ...data],
  )
  expect(entries.filter(({ what }) => what === 'role').map(({ note }) => note)).toEqual([
    `${id}: read to write`,
    `${id}: write to read`,
  ])
  await server.stop()
})

it('[ADMIN-5] agents says when each was last seen', async () => {
  const server = await startHere()
  const data = ['--data', server.data]
  const ann = agentHere(server.url)
  await ann.ask('register', 'Ann')
  const { agents } = await syncJsonHere<{ agents: { name: string; last_seen: string | null }[] }>(
    ...['agents', ...data],
  )
  expect(agents[0]).toMatchObject({ name: 'Ann', last_seen: expect.stringMatching(/^2/) })
  expect((await syncHere('agents', ...data)).stdout).toMatch(/Ann .* seen 2/)
  await server.stop()
  // It is there after a restart, and of a stopped server.
  const stopped = await syncJsonHere<{ agents: { last_seen: string | null }[] }>('agents', ...data)
  expect(stopped.agents[0]!.last_seen! >= agents[0]!.last_seen!).toBe(true)
})
