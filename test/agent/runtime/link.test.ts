import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { MAX_LOG_BYTES } from '../../../agent/session/log.ts'
import { agent, isAlive, killLink, linkPid, registered } from '../../support/agent.ts'
import { orLong, runSeed, seeded, until } from '../../support/client.ts'
import { type Poll, stageWithLead } from '../../support/lead.ts'
import { bin, root, tempDir } from '../../support/server.ts'

const stage = stageWithLead()
const started = (home: string) =>
  readFileSync(join(home, 'link.log'), 'utf8').match(/ started, process \d+/g) ?? []

it('[LINK-1] commands that start at the same time make one link, which only its user can reach', async () => {
  const one = agent(stage.server.url)
  const names = Array.from({ length: 8 }, (_, i) => `p${i}`)
  await Promise.all(names.map((name) => one.ask('--as', name, 'register', '--name', name)))
  expect(started(one.home)).toHaveLength(1)
  expect(statSync(join(one.home, 'link.sock')).mode & 0o777).toBe(0o600)
  const { profiles } = await one.ask<{ profiles: object[] }>('status')
  expect(profiles).toHaveLength(8)
  expect(profiles).toContainEqual(
    expect.objectContaining({ profile: 'p3', name: 'p3', connected: true, queued: 0 }),
  )
  await one.run('down')
})

it('[LINK-1] a home with a long path has a link, too', async () => {
  const home = join(tempDir('long'), 'x'.repeat(100))
  const one = agent(stage.server.url, home)
  await one.ask('register', '--name', 'Long')
  expect(linkPid(home)).not.toBeNull()
  expect(existsSync(join(home, 'link.sock'))).toBe(false)
  await one.run('down')
})

it('[LINK-2] a stale socket or lock, or a removed socket, blocks no start', async () => {
  const one = await registered(stage.server.url, 'Stale')
  await killLink(one.home)
  expect(existsSync(join(one.home, 'link.sock'))).toBe(true)
  await one.ask('discover')
  expect(started(one.home)).toHaveLength(2)

  await killLink(one.home)
  writeFileSync(join(one.home, 'link.sock.gone'), '')
  execFileSync('rm', ['-rf', join(one.home, 'link.lock'), join(one.home, 'link.sock')])
  mkdirSync(join(one.home, 'link.lock'))
  writeFileSync(join(one.home, 'link.lock', 'CURRENT'), 'garbage')
  await one.ask('discover')
  expect(started(one.home)).toHaveLength(3)

  const pid = linkPid(one.home)!
  execFileSync('rm', [join(one.home, 'link.sock')])
  await one.ask('discover')
  expect(linkPid(one.home)).not.toBe(pid)
  await until('the old one is gone', () => !isAlive(pid))
})

const KILLS = orLong(5, 40)

it('[LINK-3] kill -9 of the link at any moment loses and repeats nothing that was acknowledged', async () => {
  const random = seeded(runSeed('link kills'))
  const one = await registered(stage.server.url, 'Killed')
  const said: string[] = []
  const got: string[] = []
  const poll = async () => {
    const ran = await one.run('poll', '--json')
    // A link that dies when the messages are printed makes it exit 6: they were handed out all the same.
    const { ok, data } = ran.json()
    if (ok) got.push(...(data as unknown as Poll).messages.flatMap(({ content }) => content ?? []))
    return ran.code
  }
  let broken = 0
  for (let round = 0; round < KILLS; round++) {
    said.push(`round ${round}`)
    await stage.say(`round ${round}`)
    const polling = poll()
    const pid = linkPid(one.home)
    const kill = () => pid !== null && isAlive(pid) && process.kill(pid, 'SIGKILL')
    const timer = setTimeout(kill, random() * 120)
    if ((await polling) !== 0) broken++
    clearTimeout(timer) // the next command is not to be hit
  }
  await poll()
  expect(got.filter((content) => content.startsWith('round')).length).toBeGreaterThanOrEqual(KILLS)
  expect([...new Set(got)], `${broken} polls broken`).toEqual(said)
  expect(await one.ask('poll')).toMatchObject({ count: 0 })
})

it('[LINK-4] a link of another version finishes what it has and makes way', async () => {
  const one = await registered(stage.server.url, 'Versions')
  const before = linkPid(one.home)!
  const waiting = one.start('wait', '--any', '--timeout', '60')
  const ended = once(waiting, 'close')
  await until('it waits', () => isAlive(before))
  const socket = connect(join(one.home, 'link.sock'))
  socket.write(`${JSON.stringify({ version: '0.0.1', argv: ['discover'] })}\n`)
  const [answer] = (await once(socket, 'data')) as [Buffer]
  expect(JSON.parse(answer.toString())).toEqual({ next: true })
  await until('it is gone', () => !isAlive(before))
  await stage.say('for the next link')
  expect(await ended).toEqual([0, null])
  expect(linkPid(one.home)).not.toBe(before)
})

it('[LINK-5] without a link every verb works in-process, and beside a link by way of it', async () => {
  const one = agent(stage.server.url)
  const off = { env: { CLAWLINK_LINK: 'off' } }
  expect(await one.runWith(off, 'register', '--name', 'Alone')).toMatchObject({ code: 0 })
  expect(linkPid(one.home)).toBeNull()
  expect(await one.runWith(off, 'up')).toMatchObject({ code: 6 })
  expect((await one.run('status')).stdout).toBe('no link is running\n')
  expect((await one.run('down')).stdout).toBe('no link is running\n')
  await one.ask('discover')
  expect(linkPid(one.home)).not.toBeNull()
  expect(await one.runWith(off, 'discover')).toMatchObject({ code: 0 })
})

it('[LINK-5] where none can be started, the command is carried out all the same', async () => {
  const one = await registered(stage.server.url, 'Blocked')
  await killLink(one.home)
  execFileSync('rm', ['-rf', join(one.home, 'link.lock')])
  writeFileSync(join(one.home, 'link.lock'), 'no folder')
  expect(await one.ask('discover')).toMatchObject({ agents: expect.any(Array) })
  expect(started(one.home)).toHaveLength(1)
})

it('[LINK-9] the command loads nothing heavy while a link answers', async () => {
  const one = await registered(stage.server.url, 'Thin')
  const shown = join(one.home, 'loaded.cjs')
  writeFileSync(
    shown,
    `process.on('exit', () => require('fs').writeFileSync(${JSON.stringify(`${shown}.json`)},
      JSON.stringify({ files: Object.keys(require.cache), builtin: process.moduleLoadList })))`,
  )
  expect(
    await one.runWith({ env: { NODE_OPTIONS: `--require ${shown}` } }, 'discover'),
  ).toMatchObject({ code: 0 })
  const loaded = JSON.parse(readFileSync(`${shown}.json`, 'utf8')) as Record<string, string[]>
  expect(loaded.files).toEqual([shown, bin('clawlink-agent.cjs')])
  for (const name of ['http', 'https', 'tls', 'crypto', 'zlib', 'child_process']) {
    expect(loaded.builtin).not.toContain(`NativeModule ${name}`)
  }
})

it('[LINK-14] a link stops when nobody asks it any more, but not while one waits', async () => {
  const one = agent(stage.server.url)
  // Longer than a command takes to start on a busy machine: between two the link must not be idle.
  const env = { CLAWLINK_LINK_IDLE: '3' }
  await one.runWith({ env }, 'register', '--name', 'Brief')
  const pid = linkPid(one.home)!
  const waited = await one.run('wait', '--timeout', '4', '--type', 'task_canceled')
  expect(waited).toMatchObject({ code: 7 })
  expect(readFileSync(join(one.home, 'link.log'), 'utf8')).not.toMatch(/ idle\n/)
  await until('it stopped', () => !isAlive(pid))
  expect(existsSync(join(one.home, 'link.sock'))).toBe(false)
  expect(readFileSync(join(one.home, 'link.log'), 'utf8')).toMatch(/ idle\n.* link stopped: down\n/)
})

it('[LINK-18] SIGTERM ends a link cleanly: what it had begun is answered, exit 0, nothing left behind', async () => {
  const home = tempDir('home')
  writeFileSync(join(home, 'link.log'), 'x'.repeat(MAX_LOG_BYTES))
  const one = agent(stage.server.url, home)
  const link = spawn(process.execPath, [join(root, 'dist/clawlink-agent-core.cjs'), '--link'], {
    env: { ...process.env, CLAWLINK_HOME: home },
    stdio: 'ignore',
  })
  await until('it is the link', () => linkPid(home) === link.pid)
  const before = join(home, 'link.log.1')
  await until('its log is a new one', () => existsSync(before))
  expect(statSync(before).size).toBe(MAX_LOG_BYTES)
  await one.ask('register', '--name', 'Orderly')
  await one.ask('poll')

  const commands = Array.from({ length: 4 }, (_, i) => one.run('broadcast', '--content', `${i}`))
  link.kill('SIGTERM')
  expect(await once(link, 'exit')).toEqual([0, null])
  for (const ran of await Promise.all(commands)) expect(ran).toMatchObject({ code: 0, stderr: '' })
  expect(linkPid(home)).not.toBe(link.pid)
  const log = readFileSync(join(home, 'link.log'), 'utf8')
  expect(log).toMatch(/ SIGTERM\n\S+ link stopped: next\n/)
  expect(log).not.toMatch(/uncaught|unhandled|failed/)
  await one.run('down')
})
