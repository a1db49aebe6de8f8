import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Agent, registered } from '../../support/agent.ts'
import { until } from '../../support/client.ts'
import { startHost } from '../../support/host.ts'
import { homeWith } from '../../support/hosts.ts'
import { type Server, startServer } from '../../support/server.ts'

let server: Server
let ben: Agent & { id: string }
beforeAll(async () => {
  server = await startServer()
  ben = await registered(server.url, 'ben')
})
afterAll(() => server.stop())

it('[HOST-53] hosts status --ring wakes the session of the profile, and tells whether a turn began', async () => {
  const home = homeWith(['claude-code'])
  const env = { HOME: home, CLAUDE_CONFIG_DIR: '' }
  const hosts = (...args: string[]) => ben.runWith({ env }, 'hosts', ...args)
  expect(await hosts('install', 'claude-code')).toMatchObject({ code: 0 })
  expect(await hosts('status', 'claude-code', '--ring')).toMatchObject({
    ...{ code: 7, stderr: expect.stringContaining('no session of claude-code works as profile') },
  })

  const host = startHost(ben)
  const input = JSON.stringify({ session_id: 's-1' })
  await host.run(['hook', 'claude-code', 'session-start'], input)
  const watch = host.start(['watch', '--hints', '--host', 'claude-code'])
  await until('it watches', () => existsSync(join(ben.home, 'watcher.json')))
  const quiet = await hosts('status', 'claude-code')
  expect(quiet.stdout).toMatch(/\n {2}session: process \d+, last turn: none\n/)
  expect(watch.stdout, 'status alone wakes nobody').toBe('')

  const ringing = hosts('status', 'claude-code', '--ring', '--json')
  await until('it is woken', () => watch.stdout.startsWith('ClawLink: '))
  await host.run(['hook', 'claude-code', 'stop'], input)
  const [rang] = (await ringing).json().data!.hosts as {
    turn_ms: number
    session: { id: string }
  }[]
  expect(rang).toMatchObject({ turn_ms: expect.any(Number), session: { id: 's-1' } })

  const unheard = await hosts('status', 'claude-code', '--ring', '--timeout', '0.2')
  expect(unheard).toMatchObject({ code: 7, stderr: expect.stringContaining('began no turn') })
  await host.kill()
})
