import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { type Environment, findProgram } from '../../../agent/hosts/hosts.ts'
import { install } from '../../../agent/hosts/install.ts'
import { layoutOf, mainFolder } from '../../../agent/hosts/layout.ts'
import type { HostName } from '../../../agent/hosts/names.ts'
import { homeWith } from '../../support/hosts.ts'
import { root } from '../../support/server.ts'

/**
 * The hosts' own programs check the folders where HOSTS_BIN names the folders of their commands, as PATH does:
 * `npm i --prefix DIR @anthropic-ai/claude-code @google/gemini-cli @openai/codex`, HOSTS_BIN=DIR/node_modules/.bin.
 */
const bins: Environment = { PATH: process.env.HOSTS_BIN ?? '' }
const programs = ['claude', 'gemini', 'codex'].map(
  (name) => [name, findProgram(name, bins)] as const,
)
const pathOf = (name: string): string | null => programs.find(([one]) => one === name)![1]

const PLUGINS = ['claude-code', 'codex', 'gemini', 'cursor'] as const
let home: string
const folderOf = (host: HostName) =>
  join(mainFolder(host, { HOME: home }), host === 'codex' ? 'plugins/clawlink' : '')
const json = (host: HostName, file: string) =>
  JSON.parse(readFileSync(join(folderOf(host), file), 'utf8')) as Record<string, unknown>

beforeAll(() => {
  home = homeWith(PLUGINS)
  const launch = { node: process.execPath, script: '/opt/clawlink-agent.cjs', pins: {} }
  for (const host of PLUGINS)
    install(layoutOf(host, { HOME: home }, { dir: root, version: '2.0.0' }, launch), '2.0.0', false)
})

const check = (program: string, ...args: string[]) => {
  const { status, stdout, stderr } = spawnSync(pathOf(program)!, args, {
    ...{ cwd: home, encoding: 'utf8', timeout: 60_000, stdio: ['ignore', 'pipe', 'pipe'] },
    env: { ...process.env, HOME: home, CODEX_HOME: join(home, '.codex'), DISABLE_TELEMETRY: '1' },
  })
  return { status, text: `${stdout}${stderr}` }
}

describe.each(PLUGINS)('[HOST-52] the folder for %s', (host) => {
  it('names what is in it', () => {
    // Codex reads no manifest of its own beside an Agent Plugins one.
    expect(existsSync(join(folderOf(host), 'plugin.json'))).toBe(host !== 'codex')
    for (const file of ['.claude-plugin/plugin.json', '.codex-plugin/plugin.json'])
      expect(json(host, file)).toMatchObject({ name: 'clawlink', version: '2.0.0' })
    expect(json(host, 'gemini-extension.json')).toMatchObject({ name: 'clawlink' })
    expect(json(host, 'mcp.json')).toMatchObject({
      mcpServers: {
        clawlink: {
          command:
            host === 'codex' ? join(folderOf(host), 'bin/clawlink-agent') : './bin/clawlink-agent',
          args: ['mcp'],
        },
      },
    })
    expect(
      readFileSync(join(folderOf(host), 'README.md'), 'utf8').split(/\s+/).length,
    ).toBeGreaterThan(40)
    for (const file of ['LICENSE', 'bin/clawlink-agent', 'skills/clawlink/SKILL.md'])
      expect(existsSync(join(folderOf(host), file)), file).toBe(true)
    const { hooks } = json(host, 'hooks/hooks.json') as { hooks: object }
    const commands = [...JSON.stringify(hooks).matchAll(/ hook ([\w-]+) ([\w-]+)"/g)]
    expect(new Set(commands.map(([, one]) => one))).toEqual(new Set([host]))
    expect(commands.map(([, , event]) => event).slice(0, 3)).toEqual([
      'session-start',
      'prompt',
      'stop',
    ])
  })

  it.skipIf(pathOf('claude') === null)('passes claude plugin validate', () => {
    const ran = check('claude', 'plugin', 'validate', '--profile', 'directory', folderOf(host))
    expect(ran, ran.text).toMatchObject({ status: 0 })
    // Of other hosts' events it says that it ignores them.
    const isOwn = host === 'claude-code' || host === 'codex'
    expect(ran.text).toContain(
      isOwn ? '✔ Validation passed\n' : '✔ Validation passed with warnings',
    )
  })

  it.skipIf(pathOf('gemini') === null)('passes gemini extensions validate', () => {
    const ran = check('gemini', 'extensions', 'validate', folderOf(host))
    expect(ran, ran.text).toMatchObject({ status: 0 })
    expect(ran.text).toContain('successfully validated')
  })
})

describe('[HOST-52] the host itself', () => {
  it.skipIf(pathOf('claude') === null)('Claude Code loads it', () => {
    expect(check('claude', 'plugin', 'list').text).toMatch(/clawlink@skills-dir[\s\S]*✔ loaded/)
  })

  it.skipIf(pathOf('gemini') === null)('Gemini CLI has it enabled', () => {
    expect(check('gemini', 'extensions', 'list').text).toMatch(
      /✓ clawlink \(2\.0\.0\)[\s\S]*Enabled \(User\): true/,
    )
  })

  it.skipIf(pathOf('codex') === null)('Codex lists it as installed, and its tools', () => {
    expect(check('codex', 'plugin', 'list').text).toMatch(
      /clawlink@clawlink +installed, enabled +2\.0\.0/,
    )
    expect(check('codex', 'mcp', 'list').text).toMatch(/clawlink +\S+\/bin\/clawlink-agent +mcp/)
  })

  it.skipIf(pathOf('codex') === null)('Codex adds the marketplace by its own command, too', () => {
    const other = homeWith(['codex'])
    const env = { ...process.env, HOME: other, CODEX_HOME: join(other, '.codex') }
    const add = (...args: string[]) =>
      spawnSync(pathOf('codex')!, ['plugin', ...args], { env, encoding: 'utf8' })
    expect(add('marketplace', 'add', mainFolder('codex', { HOME: home }))).toMatchObject({
      status: 0,
    })
    expect(add('add', 'clawlink@clawlink')).toMatchObject({ status: 0 })
    const config = readFileSync(join(other, '.codex/config.toml'), 'utf8')
    const ours = readFileSync(join(home, '.codex/config.toml'), 'utf8')
    expect(config.trim(), 'hosts install writes what Codex writes').toBe(ours.trim())
  })
})
