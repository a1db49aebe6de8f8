import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { agentHere } from '../../support/agent.ts'
import { attachTo, linkAt } from '../../support/attach.ts'
import { ask, member } from '../../support/auth/members.ts'
import { RawClient } from '../../support/client.ts'
import { startHere } from '../../support/in-process.ts'
import { syncHere, syncJsonHere } from '../../support/ops/commands.ts'
import { asOwner, fetch, tempDir } from '../../support/server.ts'

/** The status that a WebSocket is refused with. */
const dialed = (url: string, headers: object): Promise<number> =>
  new Promise((resolve) => {
    const { ws } = new RawClient(url, headers)
    ws.on('unexpected-response', (_request, { statusCode }) => resolve(statusCode ?? 0))
  })

it('[SPACE-3] W6: naming a workspace makes none: by verb, HTTP, WebSocket, program or command', async () => {
  const server = await startHere()
  const ann = await member(server, 'a-ann', 'admin')
  const names = async () => {
    const { workspaces } = await syncJsonHere<{ workspaces: { workspace: string }[] }>(
      ...['workspaces', '--data', server.data],
    )
    return workspaces.map(({ workspace }) => workspace)
  }
  const one = agentHere(server.url)
  for (const verb of [['discover'], ['register', '--name', 'One'], ['tasks'], ['log']]) {
    const ran = await one.run('--workspace', 'defualt', ...verb)
    expect([ran.code, ran.stderr]).toEqual([
      3,
      expect.stringMatching(
        /workspace "defualt" does not exist: did you mean default\?.*workspaces add defualt/,
      ),
    ])
  }
  for (const folder of ['credentials', 'replicas']) {
    const dir = join(one.home, folder)
    expect(existsSync(dir) ? readdirSync(dir) : []).toEqual([])
  }
  const refused = { status: 404, error: { code: 'unknown_workspace' } }
  for (const path of ['/api/workspaces/nope/agents', '/api/workspaces/nope/log']) {
    expect(await ask(server, path), path).toMatchObject(refused)
  }
  for (const path of ['/w/nope/discover', '/w/nope']) {
    const answer = await fetch(server.url + path)
    expect([answer.status, await answer.text()], path).toEqual([
      404,
      expect.stringContaining('unknown_workspace'),
    ])
  }
  const owner = asOwner(server.url)
  expect(await dialed(`${server.sync}/nope`, owner)).toBe(404)
  // Others do not learn which there are.
  expect(await dialed(`${server.sync}/nope`, ann.headers)).toBe(403)
  expect((await ask(server, '/w/nope', undefined, { authorization: '' })).status).toBe('ok')
  const wanted = { workspace: 'nope' }
  expect(await ask(server, '/api/admin/invite', wanted)).toMatchObject(refused)
  for (const args of [['invite'], ['invites'], ['agents'], ['audit']]) {
    expect((await syncHere(...args, '--workspace', 'nope', '--data', server.data)).code).toBe(3)
  }
  await expect(attachTo(linkAt(one.home), server.url, '--workspace', 'nope')).rejects.toMatchObject(
    {
      code: 'unknown_workspace',
    },
  )
  expect(await names()).toEqual(['default'])
  await server.stop()
})

it('[SPACE-3] one is made by `workspaces add` or --create, also with no server running, and is there after a restart', async () => {
  const { url, data, port, stop } = await startHere()
  const at = ['--data', data]
  const made = await syncHere('workspaces', 'add', 'docs', ...at)
  expect(made).toMatchObject({ code: 0, stdout: 'made the workspace docs\n' })
  expect((await syncHere('workspaces', 'add', 'docs', ...at)).stdout).toContain('exists already')
  expect((await syncHere('workspaces', 'add', 'Not One', ...at)).code).toBe(2)
  const one = agentHere(url, tempDir('home'), 'alone-here')
  expect((await one.run('--workspace', 'docs', 'discover')).code).toBe(0)
  const registered = await one.run('--workspace', 'mine', 'register', '--name', 'One', '--create')
  expect(registered.code).toBe(0)
  expect((await syncHere('invite', '--workspace', 'third', '--create', ...at)).code).toBe(0)
  await stop()
  expect((await syncHere('workspaces', 'add', 'fourth', ...at)).code).toBe(0)
  const again = await startHere({ data, port })
  const { data: found } = await ask(again, '/api/admin/workspaces')
  expect(found).toEqual({
    workspaces: [
      { workspace: 'default', agents: 0 },
      { workspace: 'docs', agents: 1 },
      { workspace: 'fourth', agents: 0 },
      { workspace: 'mine', agents: 1 },
      { workspace: 'third', agents: 0 },
    ],
  })
  // Who is an admin of one makes no other.
  const ben = await member(again, 'a-ben', 'admin', 'docs')
  expect((await ask(again, '/api/admin/add', { workspace: 'x' }, ben.headers)).status).toBe(403)
  await again.stop()
})
