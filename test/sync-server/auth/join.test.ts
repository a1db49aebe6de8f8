import { execFile, execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it } from 'vitest'
import * as Y from 'yjs'
import type { AgentId } from '../../../protocol/ids.ts'
import { runFileOf, SECRETS } from '../../../protocol/roles.ts'
import { registerAgent } from '../../../workspace/agents/agents.ts'
import { agentHere } from '../../support/agent.ts'
import { ask, bearer, invite, member } from '../../support/auth/members.ts'
import { liveDoc, until } from '../../support/client.ts'
import { startHere } from '../../support/in-process.ts'
import { syncHere } from '../../support/ops/commands.ts'
import { bin, type Server, startServer, tempDir } from '../../support/server.ts'

let server: Server
beforeAll(async () => {
  server = await startServer({ args: ['--log-level', 'trace'] })
})
afterAll(() => server.stop())

/** An agent on another machine: no server has left anything there. */
const stranger = () => {
  const one = agentHere(undefined, tempDir('home'), 'alone-here')
  const env = { CLAWLINK_RUN_DIR: tempDir('run') }
  return { ...one, run: (stdin: string, ...args: string[]) => one.runWith({ env, stdin }, ...args) }
}

const joins = (secret: string, agent_id: string, more: object = {}, headers = {}) =>
  ask<{ credential: string; role: string }>(
    server,
    '/api/join',
    { invite: secret, agent_id, ...more },
    { authorization: '', ...headers },
  )

it('[AUTH-3] the same user joins with no extra step; what is left for that is that user’s alone', async () => {
  const dir = process.env.CLAWLINK_RUN_DIR!
  expect(statSync(dir).mode & 0o777).toBe(0o700)
  expect(statSync(runFileOf(dir, server.port)).mode & 0o777).toBe(0o600)
  expect(statSync(join(server.data, 'owner.json')).mode & 0o777).toBe(0o600)
  const one = agentHere(server.url, tempDir('home'), 'alone-here')
  const { agent_id } = await one.ask<{ agent_id: string }>('register', '--name', 'Local')
  const [file] = readdirSync(join(one.home, 'credentials'))
  expect(statSync(join(one.home, 'credentials', file!)).mode & 0o777).toBe(0o600)
  const { data } = await ask<{ agents: object[] }>(server, '/api/admin/agents')
  expect(data.agents).toContainEqual(expect.objectContaining({ agent_id, role: 'admin' }))
  const other = await startHere()
  await other.stop()
  expect(() => statSync(runFileOf(dir, other.port))).toThrow()
})

it('[AUTH-3] who is on another machine is told what to ask for', async () => {
  const one = stranger()
  const ran = await one.run('', '--relay', server.url, 'register', '--name', 'Far', '--json')
  expect(ran.code).toBe(5)
  expect(ran.json().error?.code).toBe('unauthorized')
  expect(ran.json().error?.hint).toContain('join')
})

it('[AUTH-14] invite, join from stdin, agents, rotate, revoke, audit: with the server running and without', async () => {
  const link = (await syncHere('invite', '--data', server.data, '--url', server.url)).stdout.trim()
  expect(link).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/#w=default&i=cli_/)
  const one = stranger()
  const joined = await one.run(link, 'join', '-', '--json')
  expect(joined.json()).toMatchObject({ ok: true, data: { workspace: 'default', role: 'write' } })
  expect((await one.run('', 'register', '--name', 'Far')).code).toBe(0)
  // A second one does not get in by it, and is told so without the secret.
  const wrong = ['join', '-', '--workspace', 'other', '--json']
  expect((await stranger().run(link, ...wrong)).json().error?.code).toBe('usage')
  const again = await one.run(link, 'join', '-', '--json')
  expect(again.json().error).toMatchObject({ code: 'unauthorized' })
  expect(again.json().error?.hint).toContain('joined already, role')
  const late = await stranger().run(link, 'join', '-', '--json')
  expect(late.json().error).toMatchObject({ code: 'unauthorized' })
  expect(late.stdout + late.stderr).not.toMatch(SECRETS)
  expect((await one.run('', 'invite', '--json')).json().error?.code).toBe('not_allowed')

  const { agent_id } = joined.json().data as { agent_id: string }
  expect((await syncHere('agents', '--data', server.data)).stdout).toContain(agent_id)
  const { port, data } = server
  await server.stop()
  expect((await syncHere('agents', '--data', data)).stdout).toContain(agent_id)
  const fresh = (await syncHere('rotate', 'Far', '--data', data, '--url', server.url)).stdout.trim()
  const second = (await syncHere('invite', '--data', data, '--url', server.url, '--json')).stdout
  server = await startServer({ port, data, args: ['--log-level', 'trace'] })
  expect((await one.run('', 'discover')).code).toBe(0)
  expect((await one.run(fresh, 'join', '-')).code).toBe(0)
  expect((await one.run('', 'discover')).code).toBe(0)
  const { link: file } = (JSON.parse(second) as { data: { link: string } }).data
  const other = stranger()
  expect((await other.run('', '--relay', file, 'register', '--name', 'Second')).code).toBe(0)

  expect((await syncHere('revoke', agent_id, '--data', data)).code).toBe(0)
  const refused = await one.run('', 'discover', '--json')
  expect([refused.code, refused.json().error?.code]).toEqual([5, 'revoked'])
  const { stdout } = await syncHere('audit', '--data', data)
  for (const what of ['invited', 'joined', 'rotating', 'revoked']) expect(stdout).toContain(what)
  expect((await syncHere('revoke', 'a-nobody', '--data', data)).code).toBe(3)
  expect((await syncHere('invites', '--role', 'x', '--data', data)).code).toBe(2)
})

it('[AUTH-14] on the data of a server that does not run invites are bounded as its --limit says', async () => {
  const data = tempDir('stopped')
  const codeOf = async (env: Record<string, string>, ...args: string[]) => {
    const command = [bin('clawlink-sync.cjs'), ...args, '--data', data, '--json']
    const options = { env: { ...process.env, ...env } }
    const ran = await promisify(execFile)(process.execPath, command, options).catch(
      (error: { stdout: string }) => error,
    )
    return (JSON.parse(ran.stdout) as { error?: { code: string } }).error?.code
  }
  const limit = ['--limit', 'messages=5,invites=1']
  expect(await codeOf({}, 'invite', ...limit)).toBe(undefined)
  expect(await codeOf({}, 'invite', ...limit)).toBe('quota')
  expect(await codeOf({ CLAWLINK_LIMIT: 'invites=1' }, 'invite', '--http')).toBe('quota')
  expect(await codeOf({ CLAWLINK_LIMIT: 'invites=1' }, 'invite', '--limit', 'invites=2')).toBe(
    undefined,
  )
  expect(await codeOf({}, 'invite', '--limit', 'invite=2')).toBe('usage')
  for (const args of [
    ['invite', '--expires', '999999999d'],
    ['invite', '--http', '--name', 'x'.repeat(65)],
    ['recover', '--for', '31d'],
    ['invite', '--url', 'team.example.org'],
    ['invite', '--url', 'https://team.example.org/#a'],
  ]) {
    expect(await codeOf({}, ...args)).toBe('usage')
  }
  expect(await codeOf({}, 'invites')).toBe(undefined)
  // Elsewhere it is another flag.
  expect(await codeOf({ CLAWLINK_LIMIT: 'invites=1' }, 'audit', '--limit', '5')).toBe(undefined)
})

it('[AUTH-34] who registers after it has joined is listed by its name, and so after a restart', async () => {
  const ann = await member(server, 'a-ann')
  const { client, doc } = await liveDoc(`${server.sync}/default`, new Y.Doc(), ann.headers)
  const register = async (name: string) => {
    const id = 'a-ann' as AgentId
    registerAgent(doc, { id, name, capabilities: [], machine: '', description: '', now: 1 })
    await client.barrier()
  }
  const listed = async () =>
    (await syncHere('agents', '--data', server.data)).stdout.match(/^a-ann {2}(.*?) {2}/m)?.[1]
  expect(await listed()).toBe('-')
  const typo = await syncHere('agents', '--data', server.data, '--workspace', 'typo')
  expect(typo).toMatchObject({ code: 3, stdout: '' })
  expect(typo.stderr).toContain('workspace "typo" does not exist')
  await register('Ann')
  await until('it is listed', async () => (await listed()) === 'Ann')
  await expect(register('Ann\u200d\u{e0041}')).rejects.toThrow('invisible')
  expect(await listed()).toBe('Ann')
  await register('Ann II')
  await until('it is listed by its new name', async () => (await listed()) === 'Ann II')
  await client.close()
  const { port, data } = server
  await server.stop()
  expect(await listed()).toBe('Ann II')
  server = await startServer({ port, data, args: ['--log-level', 'trace'] })
  const secret = await invite(server, { role: 'read' })
  expect((await joins(secret, 'a-ann', {}, ann.headers)).data.role).toBe('read')
  expect(await listed()).toBe('Ann II')
  expect((await syncHere('revoke', 'Ann II', '--data', data)).code).toBe(0)
})

it('[AUTH-4] [AUTH-49] an invite is good for so many, until it expires; the same join again counts once', async () => {
  const two = await invite(server, { uses: 2 })
  const credential = `clc_${'k'.repeat(43)}`
  for (let i = 0; i < 3; i++) {
    expect((await joins(two, 'a-one', { credential })).data.credential).toBe(credential)
  }
  expect((await joins(two, 'a-two')).status).toBe(200)
  expect((await joins(two, 'a-three')).error?.message).toContain('was used already')
  expect((await joins(two, 'a-one', { credential })).status).toBe(200)
  const { port, data } = server
  await server.kill()
  server = await startServer({ port, data, args: ['--log-level', 'trace'] })
  expect((await joins(two, 'a-three')).status).toBe(401)
  const short = await invite(server, { expires_in: 1_000, uses: null })
  expect((await joins(short, 'a-early')).status).toBe(200)
  let n = 0
  await until('it has expired', async () => {
    const { error } = await joins(short, `a-late-${n++}`)
    return error?.message.includes('has expired') === true
  })
})

/** 1.x's routes give the code beside the text of an error. */
type Coded = { status: number; error?: { code: string }; code?: string }

it('[AUTH-37] nobody joins or registers under an id that is another’s name, or the reverse', async () => {
  const at = '/api/workspaces/default/register'
  const boris = await member(server, 'a-boris')
  expect((await ask(server, at, { name: 'Boris' }, boris.headers)).status).toBe(200)
  const other = await member(server, 'a-other')
  const refused = [409, 'name_taken']
  const codeOf = async (path: string, body: object, headers: Record<string, string>) => {
    const { status, error, code } = (await ask(server, path, body, headers)) as Coded
    return [status, code ?? error?.code]
  }
  const secret = await invite(server, { role: 'write' })
  const token = bearer(await invite(server, { http: 'plain' }))
  for (const id of ['Boris', 'boris', 'BORIS']) {
    const joining = await joins(secret, id)
    expect([joining.status, joining.error?.code], id).toEqual(refused)
    expect(await codeOf('/register', { agent_id: id, name: 'x' }, token), id).toEqual(refused)
  }
  // Where the name itself is refused, too, its syntax is what is said.
  const anyRefusal = [refused, [400, 'bad_name']]
  const names = [
    'a-boris',
    'A-Boris',
    'a-bo\u200bris',
    'ａ-boris',
    'server',
    'The\u2060 Owner',
    'owner\u{e0041}',
  ]
  for (const name of names) {
    expect(anyRefusal).toContainEqual(await codeOf(at, { name }, other.headers))
    expect(anyRefusal).toContainEqual(
      await codeOf('/register', { agent_id: 'a-free', name }, token),
    )
    const joining = await joins(secret, 'a-free', { name })
    expect(anyRefusal).toContainEqual([joining.status, joining.error?.code])
  }
  for (const id of ['Server', 'OWNER', '..']) {
    expect((await joins(secret, id)).error?.code, id).toBe('bad_name')
    expect(await codeOf('/register', { agent_id: id }, token), id).toEqual([400, 'bad_name'])
  }
  // An id is its owner's from the moment it joined, and may be its name.
  await member(server, 'a-joined-only')
  expect(await codeOf(at, { name: 'a-joined-only' }, other.headers)).toEqual(refused)
  expect(await codeOf(at, { name: 'a-other' }, other.headers)).toEqual([200, undefined])
  const one = agentHere(server.url, tempDir('home'), 'alone-here')
  const { code, stderr } = await one.run('register', '--name', 'a-boris')
  expect([code, stderr]).toEqual([4, expect.stringContaining('is the id of another agent')])
})

it('[AUTH-5] [AUTH-50] an agent that somebody is cannot be had by another invite', async () => {
  const many = await invite(server, { uses: null })
  const first = await joins(many, 'a-taken')
  expect((await joins(many, 'a-taken')).error?.code).toBe('not_allowed')
  const old = bearer(first.data.credential)
  const own = await joins(many, 'a-taken', {}, old)
  expect(own.status).toBe(200)
  expect((await ask(server, '/api/ticket', {}, old)).status).toBe(401)
  await ask(server, '/api/admin/revoke', { which: 'a-taken' })
  expect((await joins(many, 'a-taken')).error?.code).toBe('not_allowed')
  // Its name is free in another workspace, and its invite is not for that.
  expect((await joins(many, 'a-x', { workspace: 'other' })).error?.code).toBe('not_allowed')
  const elsewhere = await invite(server, { workspace: 'other' })
  expect((await joins(elsewhere, 'a-taken')).status).toBe(200)
  expect((await joins(many, 'server')).error?.code).toBe('bad_name')
})

it('[AUTH-7] no secret is in the log, in the data, or among the processes', async () => {
  const { token } = await member(server, 'a-secretive')
  await globalThis.fetch(`${server.url}/api/${token}`, { headers: bearer(token) })
  await globalThis.fetch(`${server.url}/health`, { headers: bearer(`clc_${'w'.repeat(43)}`) })
  expect(server.log()).not.toMatch(SECRETS)
  expect(execFileSync('ps', ['axww', '-o', 'args']).toString()).not.toContain(server.token)
  const { data } = server
  await server.stop()
  for (const file of readdirSync(data)) {
    if (file === 'owner.json' || statSync(join(data, file)).isDirectory()) continue
    expect(readFileSync(join(data, file)).toString('latin1'), file).not.toContain(token)
  }
  server = await startServer({ data, port: server.port })
})
