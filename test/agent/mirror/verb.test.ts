import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import {
  type Agent,
  isAlive,
  killLink,
  linkPid,
  registered,
  registeredHere,
  WAYS_HERE,
} from '../../support/agent.ts'
import { until } from '../../support/client.ts'
import { startHere } from '../../support/in-process.ts'
import { type ServerAt, tempDir } from '../../support/server.ts'

interface Listed {
  mirrors: { dir: string; prefix: string; files: number; stopped: string | null }[]
}

let server: ServerAt
let one: Agent & { id: string }
beforeAll(async () => {
  server = await startHere()
  one = await registered(server.url, 'One')
})
afterAll(() => server.stop())

const contentOf = async (key: string, agent = one): Promise<string | null> => {
  const ran = await agent.atLink('file-get', '--key', key)
  return ran.code === 0 ? ran.stdout : null
}
const has = (path: string, text: string) =>
  until(`${path} is there`, () => existsSync(path) && readFileSync(path, 'utf8') === text)
const shared = (key: string, text: string | null) =>
  until(`${key} is shared`, async () => (await contentOf(key)) === text)

it('[MIRROR-9] the link mirrors on, also when it is killed, and the next one merges what was done meanwhile', async () => {
  const dir = tempDir('mirror')
  writeFileSync(join(dir, 'a.md'), '1\n2\n3\n')
  const done = await one.atLink('mirror', dir, '--prefix', 'notes')
  expect(done).toMatchObject({ code: 0, stdout: `mirroring ${dir}: 1 file\n`, stderr: '' })
  expect(await contentOf('notes/a.md')).toBe('1\n2\n3\n')
  writeFileSync(join(one.cwd, 'theirs.md'), '1\n2\n3\ntheirs\n')
  await one.ask('file-put', '--key', 'notes/a.md', '--file', 'theirs.md')
  await has(join(dir, 'a.md'), '1\n2\n3\ntheirs\n')

  await killLink(one.home)
  writeFileSync(join(dir, 'a.md'), 'mine\n1\n2\n3\ntheirs\n')
  writeFileSync(join(dir, 'b.md'), 'new\n')
  await one.ask('whoami')
  await one.ask('up')
  await shared('notes/a.md', 'mine\n1\n2\n3\ntheirs\n')
  await shared('notes/b.md', 'new\n')
  const { mirrors } = await one.ask<Listed>('mirror', '--list')
  expect(mirrors).toMatchObject([{ dir, prefix: 'notes/', files: 2, skipped: [], stopped: null }])
  expect((await one.atLink('mirror', dir, '--prefix', 'notes')).code).toBe(0) // it is there already

  expect((await one.atLink('mirror', dir, '--stop')).stdout).toBe(
    `stopped mirroring ${dir}; its files stay\n`,
  )
  appendFileSync(join(dir, 'b.md'), 'not shared\n')
  expect((await one.ask<Listed>('mirror', '--list')).mirrors).toEqual([])
  await killLink(one.home)
  await one.ask('up')
  expect((await one.ask<Listed>('mirror', '--list')).mirrors).toEqual([])
  expect(await contentOf('notes/b.md')).toBe('new\n')
})

it('[MIRROR-11] a folder has one mirror; wrong ones are refused and say what to do', async () => {
  const dir = tempDir('mirror')
  mkdirSync(join(dir, 'inner'))
  await one.ask('mirror', dir)
  const refused = async (code: number, error: string, ...args: string[]) => {
    const ran = await one.atLink('mirror', ...args, '--json')
    expect(ran.code).toBe(code)
    expect(ran.json().error).toMatchObject({ code: error })
    expect(ran.json().error!.hint).not.toBe('')
  }
  await refused(4, 'mirror_taken', join(dir, 'inner'))
  await refused(4, 'mirror_taken', dir, '--prefix', 'other')
  await refused(4, 'mirror_taken', join(dir, 'nowhere'))
  await refused(3, 'no_such_local_file', join(dir, 'no/where'))
  await refused(3, 'unknown_mirror', join(dir, 'inner'), '--stop')
  await refused(2, 'bad_path', tempDir('mirror'), '--prefix', '../up')
  await refused(2, 'usage')
  await refused(2, 'usage', dir, '--list')
  await refused(3, 'no_such_local_file', one.home)
  await one.ask('mirror', dir, '--stop')
})

it('[MIRROR-11] what cannot be mirrored is said on stderr and by --list', async () => {
  const dir = tempDir('mirror')
  writeFileSync(join(dir, 'bin'), 'a\0b')
  const { stdout, stderr, code } = await one.atLink('mirror', dir, '--prefix', 'bin')
  expect({ stdout, code }).toEqual({ stdout: `mirroring ${dir}: 0 files\n`, code: 0 })
  expect(stderr).toContain('skipped bin/bin: it is not text: it has a NUL in it')
  const listed = await one.ask<{ mirrors: { skipped: object[] }[] }>('mirror', '--list')
  expect(listed.mirrors[0]!.skipped).toEqual([
    { file_key: 'bin/bin', why: 'it is not text: it has a NUL in it' },
  ])
  await one.ask('mirror', dir, '--stop')
})

it('[MIRROR-14] a home folder, or one with a server in it, is refused; what is named is mirrored, and status tells', async () => {
  const agent = await registered(server.url, 'Home')
  await agent.atLink('down')
  const home = tempDir('user')
  const as = (...args: string[]) => agent.runWith({ env: { HOME: home } }, ...args)
  symlinkSync(home, join(agent.cwd, 'by-link'))
  const above = join(agent.home, '..') // ClawLink keeps its own files in it
  for (const dir of [home, join(home, '..'), '/', join(agent.cwd, 'by-link'), above]) {
    const ran = await as('mirror', dir, '--prefix', 'home')
    expect([ran.code, ran.stderr]).toEqual([5, expect.stringContaining('--force')])
  }
  writeFileSync(join(home, '.env'), 'secret\n')
  writeFileSync(join(home, '.env.ci'), 'secret\n')
  mkdirSync(join(home, 'notes'))
  writeFileSync(join(home, 'notes/.env'), 'named\n')
  expect((await as('mirror', home, '--prefix', 'home', '--force')).code).toBe(0)
  expect(await contentOf('home/notes/.env')).toBeNull()
  const wrong = await as('mirror', home, '--prefix', 'home', '--max-size', 'much')
  expect(wrong.code).toBe(2)
  await as('mirror', home, '--prefix', 'home', '--include', 'notes/.env', '--max-size', '1m')
  expect(await contentOf('home/notes/.env')).toBe('named\n')
  await killLink(agent.home)
  await as('up')
  writeFileSync(join(home, 'notes/.env'), 'named still\n')
  await shared('home/notes/.env', 'named still\n')
  expect(await contentOf('home/.env')).toBeNull()
  const { stdout } = await as('status')
  expect(stdout).toContain('2 skipped  mirroring')
  expect(stdout).toContain('skipped home/.env: it may hold credentials')
  expect((await as('mirror', home, '--confirm-deletions')).stdout).toBe('nothing waits\n')
  expect((await as('mirror', home, '--restore', '--confirm-deletions')).code).toBe(2)
  await as('mirror', home, '--stop')
  await as('down')
})

it.each(WAYS_HERE)(
  '[MIRROR-11] --foreground mirrors as long as it runs and prints each change (%s)',
  async (way) => {
    const agent = await registeredHere(server.url, `Front-${way}`, way)
    const dir = tempDir('mirror')
    const prefix = `front-${way}`
    writeFileSync(join(dir, 'a.md'), 'a\n')
    const child = agent.start('mirror', dir, '--prefix', prefix, '--foreground', '--json')
    let out = ''
    child.stdout!.setEncoding('utf8').on('data', (chunk: string) => {
      out += chunk
    })
    const lines = () =>
      out
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line) as { [field: string]: unknown })
    await until('it is ready', () => lines().some(({ type }) => type === 'ready'))
    writeFileSync(join(dir, 'b.md'), 'b\n')
    await shared(`${prefix}/b.md`, 'b\n')
    writeFileSync(join(one.cwd, 'in.md'), 'in\n')
    await one.ask('file-put', '--key', `${prefix}/c.md`, '--file', 'in.md')
    await has(join(dir, 'c.md'), 'in\n')
    await until('all is printed', () => lines().length >= 4)
    expect(lines()).toMatchObject([
      { type: 'out', file_key: `${prefix}/a.md`, change: 'created', version: 1 },
      { type: 'ready', dir, files: 1, durable: true },
      { type: 'out', file_key: `${prefix}/b.md`, change: 'created' },
      { type: 'in', file_key: `${prefix}/c.md`, change: 'created' },
    ])
    child.kill('SIGINT')
    await until('it is over', () => child.exitCode !== null || child.signalCode !== null)
    await agent.atLink('down')
  },
)

it('[MIRROR-11] [MIRROR-36] a link with a mirror does not stop when idle', async () => {
  const env = { CLAWLINK_LINK_IDLE: '0.3' }
  const agent = await registered(server.url, 'Idle')
  await agent.atLink('down')
  const dir = tempDir('mirror')
  expect((await agent.runWith({ env }, 'mirror', dir, '--prefix', 'idle')).code).toBe(0)
  const pid = linkPid(agent.home)!
  writeFileSync(join(one.cwd, 'late.md'), 'late\n')
  // Another link with the same time, which has no mirror, stops meanwhile.
  const other = await registered(server.url, 'Other')
  await other.atLink('down')
  await other.runWith({ env }, 'discover')
  const otherPid = linkPid(other.home)!
  await until('the other link stopped', () => !isAlive(otherPid))
  expect(isAlive(pid)).toBe(true)
  await one.ask('file-put', '--key', 'idle/late.md', '--file', 'late.md')
  await has(join(dir, 'late.md'), 'late\n')
  await agent.ask('mirror', dir, '--stop')
  rmSync(dir, { recursive: true })
  await until('it stops', () => !isAlive(pid))
})
