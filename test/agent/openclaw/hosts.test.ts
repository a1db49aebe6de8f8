import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Agent, registered } from '../../support/agent.ts'
import { homeWith } from '../../support/hosts.ts'
import { root, type Server, startServer } from '../../support/server.ts'
import { binDir } from '../../support/transcript.ts'

const text = readFileSync(join(root, 'docs/hosts.md'), 'utf8')
const blocks = (language: string): string[] =>
  [...text.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'gm'))].map(
    ([, b]) => b!,
  )

interface Settings {
  hooks?: Record<string, { hooks: { type: string; command: string; timeout: number }[] }[]>
}
const settings = blocks('json').map((block) => JSON.parse(block) as Settings)
const commandOf = (event: string) => settings[0]!.hooks![event]![0]!.hooks[0]!.command

let server: Server
let lead: Agent & { id: string }
let ben: Agent & { id: string }
let run: (
  command: string,
  input?: object,
) => { code: number | null; stdout: string; stderr: string }
beforeAll(async () => {
  server = await startServer()
  lead = await registered(server.url, 'lead')
  ben = await registered(server.url, 'ben')
  const home = homeWith(['claude-code', 'codex', 'opencode', 'gemini', 'cursor'])
  const env = {
    ...{ ...process.env, HOME: home, CLAWLINK_HOME: ben.home },
    PATH: `${binDir()}:${dirname(process.execPath)}:/usr/bin:/bin`,
  }
  run = (command, input = {}) => {
    const { status, stdout, stderr } = spawnSync('sh', ['-c', command], {
      ...{ cwd: ben.cwd, env: { ...env, CLAWLINK_SERVER: server.url }, encoding: 'utf8' },
      input: JSON.stringify({ session_id: 's', cwd: ben.cwd, ...input }),
    })
    return { code: status, stdout, stderr }
  }
})
afterAll(() => server.stop())

const stop = { hook_event_name: 'Stop', stop_hook_active: false }

it('[HOST-5] the hooks tell what is unread, and say nothing where there is nothing', async () => {
  const quiet = { code: 0, stdout: '', stderr: '' }
  expect(run(commandOf('SessionStart'))).toMatchObject({
    ...{ code: 0, stdout: expect.stringMatching(/^you: a-\w+ \(ben\) /) },
  })
  expect(run(commandOf('UserPromptSubmit'))).toEqual(quiet)
  expect(run(commandOf('Stop'), stop)).toEqual(quiet)

  await lead.ask('delegate', '--to', 'ben', '--task', 'Look at it')
  const unread = /^1 task_delegation: t-\w+\nThat is unread: run clawlink-agent poll\n$/
  expect(run(commandOf('UserPromptSubmit'))).toMatchObject({
    ...{ code: 0, stdout: expect.stringMatching(unread) },
  })
  expect(run(commandOf('Stop'), stop)).toMatchObject({
    ...{ code: 2, stdout: '', stderr: expect.stringMatching(unread) },
  })
  expect(run(commandOf('Stop'), { ...stop, stop_hook_active: true })).toEqual(quiet)
  expect(await ben.ask('poll')).toMatchObject({ count: 1 })
})

it('[HOST-5] the other settings are what their hosts read, and every command in them is one', () => {
  expect(Object.keys(settings[0]!.hooks!)).toEqual(['SessionStart', 'UserPromptSubmit', 'Stop'])
  expect(settings[1]).toEqual({ permissions: { allow: ['Bash(clawlink-agent:*)'] } })
  for (const line of blocks('toml').join('').trim().split('\n')) {
    const [, value] = /^(?:\[\w+\]|\w+ = (.*))$/.exec(line)!
    if (value !== undefined) JSON.parse(value) // of TOML's values those that JSON has, too
  }
  const told = [
    ...blocks('markdown')
      .join('')
      .matchAll(/`(clawlink-agent \w+)`/g),
  ]
  for (const [, command] of told) expect(run(command!), command).toMatchObject({ code: 0 })
})

it('[HOST-51] every command of docs/hosts.md runs', () => {
  for (const line of blocks('sh').join('').trim().split('\n')) {
    expect(run(line), line).toMatchObject({ code: 0 })
  }
})
