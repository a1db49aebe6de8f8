import { execFile } from 'node:child_process'
import { mkdirSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, it } from 'vitest'
import { readProgram } from '../../../lib/command-line/read.ts'
import { banner, programAt } from '../../../sync-server/cli/banner.ts'
import { PROGRAM } from '../../../sync-server/cli/program.ts'
import { exposed } from '../../../sync-server/config/exposed.ts'
import { parseOptions } from '../../../sync-server/config/options.ts'
import { bin, startServer, tempDir } from '../../support/server.ts'

const optionsOf = (...argv: string[]) => parseOptions(readProgram(PROGRAM, argv), {})

it('[ADMIN-10] W8: every command that a server prints works as it is, with another port and data', async () => {
  const data = join(tempDir('data'), "my team's data")
  const server = await startServer({ data })
  const home = tempDir('home')
  const printed = await server.banner()
  const commands = printed
    .split('\n')
    .map((line) => /^ {2}(?:join {3}|state {2})?(node \S+ .*)$/.exec(line)?.[1])
    .filter((line) => line !== undefined)
  expect(commands).toHaveLength(5)
  const { CLAWLINK_SERVER: _, ...env } = process.env
  for (const command of commands) {
    const asked = command.includes('clawlink.mjs') ? `${command} --help` : command
    const said = await new Promise<{ code: number; text: string }>((resolve) => {
      execFile(
        '/bin/sh',
        ['-c', asked],
        { env: { ...env, CLAWLINK_HOME: home, CLAWLINK_LINK: 'off' }, cwd: home },
        (error, stdout, stderr) =>
          resolve({ code: error === null ? 0 : Number(error.code), text: stdout + stderr }),
      )
    })
    expect([said.code, said.text], command).toEqual([0, expect.anything()])
    if (command.includes(' invite ')) expect(said.text).toContain(`:${server.port}/#w=default&i=`)
    if (command.includes(' status ')) expect(said.text).toContain(`running at ${server.url}`)
    if (command.includes(' discover')) expect(said.text).toContain('alice')
  }
  await server.stop()
})

it('[ADMIN-10] programs are called by name only where a shell finds them', () => {
  const folder = tempDir('bin')
  const script = join(folder, 'clawlink-sync')
  symlinkSync(bin('clawlink-sync.cjs'), script)
  expect(programAt(script, { PATH: `/bin:${folder}` })('clawlink-agent')).toBe('clawlink-agent')
  const whole = `node ${join(dirname(bin('clawlink-sync.cjs')), 'clawlink-agent.cjs')}`
  expect(programAt(script, { PATH: '/bin' })('clawlink-agent')).toBe(whole)
  expect(programAt(bin('clawlink-sync.cjs'), { PATH: folder })('clawlink-agent')).toBe(whole)
  // npx has its folder in PATH for what it starts, and for nobody else.
  const own = join(folder, 'node_modules', '.bin')
  mkdirSync(own, { recursive: true })
  symlinkSync(bin('clawlink-sync.cjs'), join(own, 'clawlink-sync'))
  expect(programAt(join(own, 'clawlink-sync'), { PATH: own })('clawlink-agent')).toBe(whole)
})

it('[ADMIN-11] a server that others reach without TLS warns, in its banner and its log', async () => {
  const start = { port: 9077, version: '2', env: {}, script: bin('clawlink-sync.cjs') }
  const shown = (...argv: string[]) => banner({ ...start, options: optionsOf(...argv) })
  expect(shown('--host', '0.0.0.0')).toContain('warning: 0.0.0.0 is served without TLS')
  for (const safe of [
    [],
    ['--host', '::1'],
    ['--host', '0.0.0.0', '--tls-cert', 'c', '--tls-key', 'k'],
    ['--host', '0.0.0.0', '--public-url', 'https://team.example.org'],
  ]) {
    expect(exposed(optionsOf(...safe))).toBeNull()
    expect(shown(...safe)).not.toContain('warning')
  }
  const server = await startServer({
    args: ['--host', '0.0.0.0', '--no-mdns', '--log-level', 'warn'],
  })
  expect(server.log()).toContain('0.0.0.0 is served without TLS')
  await server.stop()
})
