import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { agent, agentHere, WAYS_HERE } from '../../support/agent.ts'
import { ask } from '../../support/auth/members.ts'
import { until } from '../../support/client.ts'
import { startHere } from '../../support/in-process.ts'
import { syncJsonHere } from '../../support/ops/commands.ts'
import { startProxy } from '../../support/proxy.ts'
import { type ServerAt, startServer, tempDir } from '../../support/server.ts'

let one: ServerAt
let two: ServerAt
beforeAll(async () => {
  ;[one, two] = await Promise.all([startHere(), startHere()])
})
afterAll(() => Promise.all([one.stop(), two.stop()]))

it('[CLI-8] W7: a look at another server moves nothing; register does, and says so; each knows its own name', async () => {
  const ann = agentHere()
  const state = () => readFileSync(join(ann.home, 'agent_state.json'), 'utf8')
  const first = await ann.run('--relay', one.url, 'register', '--name', 'Ann')
  expect(first).toMatchObject({ code: 0, stderr: '' })
  const before = state()
  for (const look of [['discover'], ['tasks'], ['log'], ['file-list'], ['info'], ['whoami']]) {
    expect((await ann.atLink('--relay', two.url, ...look)).code).toBe(0)
  }
  expect(state()).toBe(before)
  expect(await ann.ask('discover')).toMatchObject({ count: 1 })
  const moved = await ann.atLink('--relay', two.url, 'register', '--name', 'Erin')
  expect(moved.stderr).toContain(`is now default of ${two.url}; it was default of ${one.url}`)
  expect(await ann.ask('whoami')).toMatchObject({ server: two.url, name: 'Erin' })
  expect(await ann.ask('--relay', one.url, 'whoami')).toMatchObject({ name: 'Ann' })
  const { profiles } = await ann.ask<{ profiles: { server: string; name: string }[] }>('status')
  expect(new Map(profiles.map(({ server, name }) => [server, name]))).toEqual(
    new Map([
      [one.url, 'Ann'],
      [two.url, 'Erin'],
    ]),
  )
})

it('[CLI-9] a wrong path in an address is named, to who has joined and to who has not', async () => {
  const [ann, bob] = [agentHere(), agentHere()]
  await ann.ask('--relay', one.url, 'register', '--name', 'Ann of paths')
  for (const who of [ann, bob]) {
    const { code, stderr } = await who.atLink('--relay', `${one.url}/foo`, 'discover')
    expect([code, stderr]).toEqual([
      6,
      `error: the ClawLink server at ${one.url} has nothing at /foo — leave the path out: --relay ${one.url}\n`,
    ])
  }
})

/** How often somebody joined. */
const joins = async ({ data }: ServerAt): Promise<number> => {
  const { entries } = await syncJsonHere<{ entries: { what: string }[] }>('audit', '--data', data)
  return entries.filter(({ what }) => what === 'joined').length
}
const foldersOf = (home: string): string[] => {
  const dir = join(home, 'replicas')
  if (!existsSync(dir)) return []
  const folders = readdirSync(dir, { withFileTypes: true }).filter((one) => one.isDirectory())
  return folders.map(({ name }) => name).filter((name) => !name.endsWith('.setup'))
}
const said = async (url: string): Promise<string[]> => {
  const { data } = await ask<{ broadcasts: { content: string }[] }>(
    { url },
    '/api/workspaces/default/log',
  )
  return data.broadcasts.map(({ content }) => content)
}

it.each(WAYS_HERE)(
  '[CLI-9] W5: one server is one server, however its address is typed (%s)',
  async (way) => {
    const server = await startHere()
    const proxy = await startProxy(server.port)
    const ann = agent(undefined, tempDir('home'), way)
    await ann.ask('--relay', server.url, 'register', '--name', 'Ann')
    const addresses = [
      `localhost:${server.port}`,
      proxy.url,
      `127.0.0.1:${server.port}`,
      server.url,
    ]
    for (const address of [...addresses, ...addresses]) {
      expect(await ann.ask('--relay', address, 'discover'), address).toMatchObject({ count: 1 })
      await ann.ask('--relay', address, 'broadcast', '--content', address)
    }
    expect(await said(server.url)).toEqual([...addresses, ...addresses])
    expect(await joins(server)).toBe(1)
    expect(foldersOf(ann.home)).toEqual([expect.any(String)])
    if (way === 'link-here') {
      const { profiles } = await ann.ask<{ profiles: object[] }>('status')
      expect(profiles).toHaveLength(1)
    }
    for (const typo of ['127.0.0.1:1', 'localhost:2', 'http://127.0.0.1:3/x']) {
      expect((await ann.atLink('--relay', typo, 'discover')).code).toBe(6)
      expect((await ann.atLink('--relay', typo, 'broadcast', '--content', 'x')).code).toBe(6)
    }
    expect(foldersOf(ann.home)).toEqual([expect.any(String)])
    // By its other address where nobody answers at the one of before: with the same link.
    await server.stop()
    const moved = await startHere({ data: server.data })
    await ann.ask('--relay', moved.url, 'broadcast', '--content', 'moved')
    expect(await said(moved.url)).toContain('moved')
    expect(foldersOf(ann.home)).toEqual([expect.any(String)])
    await moved.stop()
    await proxy.close()
  },
)

it('[CLI-9] [CLI-14] another server at the address is named; what was queued waits for the old one', async () => {
  const old = await startServer()
  const { port, url, data } = old
  const ann = agentHere(url)
  await ann.ask('register', '--name', 'Ann')
  await old.kill()
  expect(await ann.ask('broadcast', '--content', 'queued')).toMatchObject({ durable: false })
  const other = await startHere({ port })
  for (const args of [['discover'], ['broadcast', '--content', 'lost?'], ['poll'], ['log']]) {
    const ran = await ann.atLink(...args, '--json')
    expect([ran.code, ran.json().error?.code], args[0]).toEqual([6, 'other_server'])
  }
  expect(await joins(other)).toBe(0)
  // Going over to it takes nothing along.
  const moved = await ann.atLink('register', '--name', 'Ann')
  expect(moved.stderr).toContain('is another server than before')
  await ann.ask('broadcast', '--content', 'here')
  expect(await said(url)).toEqual(['here'])
  const back = await startHere({ data })
  await ann.ask('--relay', back.url, 'discover')
  await until('what was queued has come', async () => (await said(back.url)).includes('queued'))
  expect(await said(back.url)).not.toContain('here')
  await Promise.all([other.stop(), back.stop()])
})

it.each(WAYS_HERE)(
  '[CLI-10] a home of before servers had ids goes on with all it had (%s)',
  async (way) => {
    const server = await startHere()
    const { port, url, data } = server
    const ann = agent(url, tempDir('home'), way)
    const { agent_id } = await ann.ask<{ agent_id: string }>('register', '--name', 'Ann')
    await ann.run('down')
    // As it was kept: by address.
    const hash = createHash('sha256').update(`${url}#default`).digest('hex')
    rmSync(join(ann.home, 'servers.json'))
    const credentials = join(ann.home, 'credentials')
    const [file] = readdirSync(credentials)
    const credential = readFileSync(join(credentials, file!), 'utf8')
    renameSync(join(credentials, file!), join(credentials, `${hash.slice(0, 16)}.json`))
    const [folder] = foldersOf(ann.home)
    const before = `127.0.0.1_${port}_default-${hash.slice(0, 8)}`
    renameSync(join(ann.home, 'replicas', folder!), join(ann.home, 'replicas', before))
    await server.stop()
    expect(await ann.ask('broadcast', '--content', 'queued')).toMatchObject({ durable: false })
    const again = await startHere({ port, data })
    await ann.ask('--relay', `localhost:${port}`, 'info')
    expect(await ann.ask('discover')).toMatchObject({ count: 1 })
    await ann.ask('--relay', `localhost:${port}`, 'broadcast', '--content', 'after')
    await until('both are there', async () => (await said(url)).length === 2)
    expect(await said(url)).toEqual(['queued', 'after'])
    expect(await joins(again)).toBe(1)
    expect(foldersOf(ann.home)).toEqual([before])
    expect(readdirSync(credentials)).not.toContain(`${hash.slice(0, 16)}.json`)
    const [now] = readdirSync(credentials)
    expect(readFileSync(join(credentials, now!), 'utf8')).toBe(credential)
    expect(await ann.ask('whoami')).toMatchObject({ agent_id })
    await again.stop()
  },
)

it('[AUTH-48] who claims to be a known server and does not prove it is shown nothing; a restored one is the same', async () => {
  const server = await startHere()
  const ann = agentHere(server.url, tempDir('home'), 'alone-here')
  await ann.ask('register', '--name', 'Ann')
  const nonce = 'n'.repeat(43)
  const { data: proof } = await ask<object>(server, `/api/prove?nonce=${nonce}`)
  expect(statSync(join(server.data, 'server-key.json')).mode & 0o777).toBe(0o600)
  let heard = ''
  const liar = createServer((request, response) => {
    heard += `${request.url} ${JSON.stringify(request.headers)}`
    response.end(JSON.stringify({ ok: true, data: proof }))
  }).listen(0, '127.0.0.1')
  await once(liar, 'listening')
  const { port } = liar.address() as AddressInfo
  const ran = await ann.atLink('--relay', `127.0.0.1:${port}`, 'discover', '--json')
  expect([ran.code, ran.json().error?.code]).toEqual([6, 'unproven'])
  expect(heard).not.toMatch(/cl[ci]_|authorization/)
  liar.close()
  const dir = join(tempDir('backup'), 'b')
  const copy = join(tempDir('copy'), 'data')
  await syncJsonHere('backup', dir, '--data', server.data)
  await server.stop()
  await syncJsonHere('restore', dir, '--data', copy)
  const restored = await startHere({ data: copy })
  expect(await ann.ask('--relay', restored.url, 'discover')).toMatchObject({ count: 1 })
  expect(await joins(restored)).toBe(1)
  await restored.stop()
})
