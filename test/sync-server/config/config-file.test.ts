import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { parseConfig } from '../../../lib/command-line/config-file.ts'
import { readProgram } from '../../../lib/command-line/read.ts'
import { ClawError } from '../../../protocol/errors.ts'
import { PROGRAM } from '../../../sync-server/cli/program.ts'
import { configText, configured, readConfig } from '../../../sync-server/config/config-file.ts'
import { SERVER_FLAGS } from '../../../sync-server/config/flags.ts'
import { parseOptions } from '../../../sync-server/config/options.ts'
import { sync } from '../../support/ops/commands.ts'
import { tempDir } from '../../support/server.ts'

const dir = tempDir('config')
const file = (text: string): string => {
  const path = join(dir, `${Math.random()}.conf`)
  writeFileSync(path, text)
  return path
}
const optionsOf = (env: Record<string, string>, ...argv: string[]) => {
  const line = readProgram(PROGRAM, argv)
  return parseOptions(configured(line, readConfig(line, env), env), env)
}

it('[ADMIN-9] a flag wins over the environment, the environment over the file', () => {
  const path = file(
    '# a comment\n\nport = 9100\nlog-level=debug\nlimit = workspaces=5,invites=7\nno-mdns = true\nhost = 0.0.0.0\n',
  )
  const config = ['--config', path]
  expect(optionsOf({}, ...config)).toMatchObject({ port: 9100, logLevel: 'debug', hasMdns: false })
  expect(optionsOf({}, ...config).limits).toMatchObject({ workspaces: 5, invites: 7 })
  expect(optionsOf({ CLAWLINK_PORT: '9200' }, ...config).port).toBe(9200)
  expect(optionsOf({ CLAWLINK_PORT: '9200' }, ...config, '--port', '9300').port).toBe(9300)
  expect(optionsOf({ CLAWLINK_CONFIG: path }).port).toBe(9100)
})

it('[ADMIN-9] a mistake in the file is named with its line', () => {
  const cases: [text: string, answer: string][] = [
    ['\nprot = 1', 'F, line 2: no setting "prot" — did you mean port?'],
    ['port = x', 'F, line 1: port x is not a number from 0 to 65535 — like: port=9077'],
    ['port 9100', 'F, line 1 is not a setting — like: port = 9077'],
    ['port = 1\nport = 2', 'F, line 2: port is set twice — set it once'],
    ['no-mdns = maybe', 'F, line 1: no-mdns is not true or false — like: no-mdns = true'],
    ['backup-every = soon', 'F, line 1: backup-every soon is not a time span'],
    ['x'.repeat(70_000), 'F is too large'],
  ]
  for (const [text, answer] of cases) {
    let said = ''
    try {
      parseConfig(text, SERVER_FLAGS, 'F')
    } catch (thrown) {
      const { code, message, hint } = ClawError.from(thrown)
      expect(code).toBe('usage')
      said = `${message} — ${hint}`
    }
    expect(said).toContain(answer)
  }
  expect(() => readConfig(readProgram(PROGRAM, ['--config', join(dir, 'none')]), {})).toThrow(
    'cannot read the configuration',
  )
})

it('[ADMIN-9] --print-config says what is in force and from where, and shows no password', async () => {
  const path = file('port = 9100\nstore = postgres://me:secret@db/one\nlease = 5\n')
  const env = { CLAWLINK_LEASE: '7' }
  const line = readProgram(PROGRAM, ['--config', path, '--host', '::1'])
  const text = configText(line, readConfig(line, env), env)
  expect(text).toContain('# from --host\nhost = ::1\n')
  expect(text).toContain(`# from line 1 of ${path}\nport = 9100\n`)
  expect(text).toContain('# from CLAWLINK_LEASE\nlease = 7\n')
  expect(text).toContain('# heartbeat: 12\n')
  expect(text).toContain('postgres://me:…@db/one')
  expect(text).not.toContain('secret')
  const printed = await sync('--print-config', '--port', '9300')
  expect([printed.code, printed.stdout]).toEqual([0, expect.stringContaining('port = 9300')])
  // What it prints is a configuration.
  expect(parseConfig(printed.stdout, SERVER_FLAGS, 'F').get('port')?.value).toBe('9300')
})
