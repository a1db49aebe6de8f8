import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Agent, agentHere, registeredHere } from '../../support/agent.ts'
import { startHere } from '../../support/in-process.ts'
import { type ServerAt, tempDir } from '../../support/server.ts'

let server: ServerAt
let ben: Agent & { id: string }
beforeAll(async () => {
  server = await startHere()
  ben = await registeredHere(server.url, 'ben')
})
afterAll(() => server.stop())

/** No openclaw is found there; the link, which has another PATH, is not asked. */
const without = { env: { PATH: tempDir('no-openclaw') } }
const hook = 'http://127.0.0.1:9/hooks/wake'
const wake = () => JSON.parse(readFileSync(join(ben.home, 'wake.json'), 'utf8')) as object

describe('[HOST-3] openclaw install', () => {
  it('says what is missing', async () => {
    const nobody = await agentHere(server.url).run('openclaw', 'install')
    expect(nobody).toMatchObject({ code: 3, stderr: expect.stringContaining('is not registered') })
    for (const action of ['install', 'status', 'uninstall']) {
      const ran = await ben.runWith(without, 'openclaw', action, '--json')
      expect(ran.json().error, action).toMatchObject({ code: 'openclaw_missing' })
      expect(ran.code).toBe(3)
    }
  })

  it.each([
    [['openclaw'], /install\|status\|uninstall is missing/],
    [['openclaw', 'instal'], /did you mean install/],
    [['openclaw', 'install', '--type', 'task_delegtion'], /did you mean task_delegation\?/],
    [
      ['openclaw', 'install', '--session', 'own'],
      /"own" is not a value of --session — one of: main, isolated/,
    ],
  ])('refuses %j', async (args, what) => {
    expect(await ben.run(...args)).toMatchObject({ code: 2, stderr: expect.stringMatching(what) })
  })

  it('shows the hook it would set, and sets none that does not take the token', async () => {
    const ran = await ben.run('openclaw', 'install', '--hook', hook, '--dry-run')
    expect(ran.stdout).toBe(`clawlink-agent up --hook ${hook}\nnothing was done: --dry-run\n`)
    expect(await ben.run('openclaw', 'install', '--hook', hook)).toMatchObject({
      ...{ code: 5, stderr: expect.stringContaining('set CLAWLINK_HOOK_TOKEN') },
    })
    const withToken = { env: { CLAWLINK_HOOK_TOKEN: 'x' } }
    expect(await ben.runWith(withToken, 'openclaw', 'install', '--hook', hook)).toMatchObject({
      ...{ code: 6, stdout: `clawlink-agent up --hook ${hook}\n` },
    })
    expect(existsSync(join(ben.home, 'wake.json'))).toBe(false)
  })
})

it('[HOST-4] openclaw uninstall takes back the hook that install set, also where OpenClaw is gone, and nothing else', async () => {
  await ben.ask('up', '--hook', hook, '--on-message', 'true')
  const before = wake()
  await ben.runWith(without, 'openclaw', 'uninstall')
  expect(wake(), 'set by hand').toEqual(before)

  writeFileSync(join(ben.home, 'openclaw.json'), JSON.stringify({ hook }))
  const dry = await ben.runWith(without, 'openclaw', 'uninstall', '--dry-run')
  expect(dry.stdout).toBe('clawlink-agent up --hook off\n')
  expect(wake()).toEqual(before)
  await ben.runWith(without, 'openclaw', 'uninstall')
  expect(wake(), 'the command stays').toEqual({ command: 'true', cwd: ben.cwd })
  expect(existsSync(join(ben.home, 'openclaw.json'))).toBe(false)
})
