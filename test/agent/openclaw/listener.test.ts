import { spawnSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import {
  addArgs,
  findJob,
  isCurrent,
  isStreamless,
  type Job,
  keyOf,
  mustEnable,
  mustReplace,
  type OpenclawListener,
  typesOf,
  watchCommand,
} from '../../../agent/openclaw/listener.ts'

const where = {
  ...{ node: '/opt/node', script: '/opt/clawlink-agent', profile: 'default' },
  ...{
    server: 'http://127.0.0.1:9077',
    workspace: 'default',
    known: {},
    env: {},
    types: undefined,
  },
}
const wanted: OpenclawListener = {
  ...{ key: 'clawlink', command: watchCommand(where), session: 'main', agent: undefined },
}
const job = (changes: Partial<Job> = {}): Job => ({
  ...{ id: 'j1', declarationKey: 'clawlink', enabled: true, sessionTarget: 'main' },
  schedule: { kind: 'stream', command: watchCommand(where) },
  ...changes,
})

describe('[HOST-3] the listener', () => {
  it('names all that the gateway’s environment lacks, and nothing that it has', () => {
    expect(watchCommand(where)).toEqual(['/opt/node', '/opt/clawlink-agent', 'watch', '--hints'])
    expect(
      watchCommand({
        ...{ ...where, profile: 'ben', server: 'https://x.example', workspace: 'team' },
        known: { server: 'https://x.example', workspace: 'default' },
        env: { CLAWLINK_HOME: '/srv/a home', CLAWLINK_AGENT: 'ben', CLAWLINK_CA: '' },
      }),
    ).toEqual([
      ...['/usr/bin/env', 'CLAWLINK_HOME=/srv/a home', '/opt/node', '/opt/clawlink-agent'],
      ...['--as', 'ben', '--workspace', 'team', 'watch', '--hints'],
    ])
    const some = watchCommand({ ...where, types: 'task_delegation,direct_message' })
    expect(some.slice(-2)).toEqual(['--type', 'task_delegation,direct_message'])
    expect([typesOf(some), typesOf(watchCommand(where))]).toEqual([some.at(-1), undefined])
    const elsewhere = watchCommand({ ...where, server: 'http://10.0.0.5:9077' })
    expect(elsewhere).toContain('--relay')
  })

  it('is one automation a profile, of which only hints wake', () => {
    expect([keyOf('default'), keyOf('ben')]).toEqual(['clawlink', 'clawlink-ben'])
    const args = addArgs(wanted)
    const behind = (flag: string) => args[args.indexOf(flag) + 1]!
    expect(JSON.parse(behind('--stream-command'))).toEqual(wanted.command)
    const hint = new RegExp(behind('--stream-match'))
    expect(hint.test('{"type":"hint","count":1,"kinds":{"task_note":1},"from":["ana"]}')).toBe(true)
    expect(hint.test('error: no answer from a ClawLink server')).toBe(false)
    expect(behind('--session')).toBe('main')
    expect(args).toContain('--system-event')
    const isolated = addArgs({ ...wanted, session: 'isolated', agent: 'ops' })
    expect(isolated.join(' ')).toMatch(/--session isolated --message .* --no-deliver --agent ops/)
  })

  it('is found by its key, whatever OpenClaw printed', () => {
    const other = job({ declarationKey: 'memory-core:dreaming' })
    expect(findJob({ jobs: [other, job()] }, 'clawlink')).toEqual(job())
    for (const odd of [null, '', {}, { jobs: [] }, { jobs: [other] }]) {
      expect(findJob(odd, 'clawlink')).toBeNull()
    }
  })

  it('stays as it is while it listens at the same place with programs that are there', () => {
    const there = () => true
    const byAgent = watchCommand({ ...where, node: '/usr/bin/node' })
    expect(isCurrent(job(), byAgent, there)).toBe(true)
    expect(isCurrent(job(), byAgent, (path) => path !== '/opt/node')).toBe(false)
    const moved = watchCommand({ ...where, env: { CLAWLINK_HOME: '/srv' } })
    expect(isCurrent(job(), moved, there)).toBe(false)
    expect(isCurrent(job({ schedule: { kind: 'cron' } }), byAgent, there)).toBe(false)
  })

  it('is replaced for another kind of session, and set going again where it has stopped', () => {
    expect(mustReplace(job(), wanted)).toBe(false)
    expect(mustReplace(job(), { ...wanted, session: 'isolated' })).toBe(true)
    expect(mustEnable(job())).toBe(false)
    expect(mustEnable(job({ enabled: false }))).toBe(true)
    expect(mustEnable(job({ state: { streamStatus: 'error' } }))).toBe(true)
  })

  it('gives way to the hook only where OpenClaw keeps no streams', () => {
    const off = 'Error: cron stream schedules are disabled because the operator set cron.triggers'
    expect(isStreamless(off)).toBe(true)
    expect(isStreamless('OpenClaw does not recognize option "--stream-command".')).toBe(true)
    expect(isStreamless("error: unknown option '--declaration-key'")).toBe(true)
    expect(isStreamless('Error: cron job agent is unavailable: other')).toBe(false)
  })

  it('is added with flags that the OpenClaw on this machine has', (context) => {
    const help = spawnSync('openclaw', ['cron', 'add', '--help'], { encoding: 'utf8' })
    if (help.error !== undefined) context.skip('openclaw is not installed')
    const flags = addArgs({ ...wanted, session: 'isolated', agent: 'main' })
    for (const flag of [...flags, '--system-event'].filter((word) => word.startsWith('--'))) {
      expect(help.stdout).toContain(`${flag} `)
    }
  })
})
