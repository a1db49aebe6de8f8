import { execFileSync, spawnSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { delimiter, join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { HOSTS } from '../../../agent/hosts/names.ts'
import { type Agent, agent } from '../../support/agent.ts'
import { homeWith, treeOf } from '../../support/hosts.ts'
import { bin, root, tempDir } from '../../support/server.ts'

const PLUGIN_HOSTS = ['claude-code', 'codex', 'opencode', 'gemini', 'cursor'] as const
/** A PATH without hosts. */
const nowhere = tempDir('no-hosts')
const without = {
  ...{ CLAUDE_CONFIG_DIR: '', CODEX_HOME: '', XDG_CONFIG_HOME: '', OPENCODE_CONFIG_DIR: '' },
  ...{ OPENCLAW_HOME: '', OPENCLAW_STATE_DIR: '', GEMINI_CLI_HOME: '', PATH: nowhere },
}
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  version: string
}

let one: Agent
beforeEach(() => {
  one = agent()
})
const run = (home: string, args: readonly string[], env = {}) =>
  one.runWith({ env: { ...without, HOME: home, ...env } }, 'hosts', ...args)
interface HostData {
  host: string
  found: string | null
  installed: string | null
  intact: boolean | null
  wakes: boolean
}
const status = async (home: string, env = {}): Promise<HostData[]> => {
  const { data } = (await run(home, ['status', '--json'], env)).json()
  return data!.hosts as HostData[]
}

describe('[HOST-40] hosts are found', () => {
  it('by their folder of settings', async () => {
    const found = (await status(homeWith(['codex', 'gemini']))).filter((host) => host.found)
    expect(found.map(({ host }) => host)).toEqual(['codex', 'gemini'])
    expect(await run(homeWith([]), ['install', '--all'])).toMatchObject({
      ...{ code: 3, stderr: expect.stringContaining('no host is on this machine') },
    })
  })

  it('by their command in PATH, whose folder install makes', async () => {
    const home = homeWith([])
    const path = tempDir('path')
    writeFileSync(join(path, 'claude'), '#!/bin/sh\n')
    writeFileSync(join(path, 'codex'), 'not executable')
    chmodSync(join(path, 'claude'), 0o755)
    chmodSync(join(path, 'codex'), 0o644)
    const env = { PATH: [nowhere, path].join(delimiter) }
    const found = (await status(home, env)).filter((host) => host.found)
    expect(found).toMatchObject([{ host: 'claude-code', found: join(path, 'claude') }])
    expect(await run(home, ['install', '--all'], env)).toMatchObject({
      ...{ code: 0, stdout: 'claude-code: installed\n' },
    })
    expect(await run(home, ['install', 'codex'], env)).toMatchObject({
      ...{
        code: 3,
        stderr: expect.stringMatching(
          /^error: codex: Codex is not here: neither codex in PATH nor /m,
        ),
      },
    })
    await run(home, ['uninstall', '--all'], env)
    expect(treeOf(home)).toEqual({})
  })

  it('in the folders that their own variables name', async () => {
    const [home, other] = [homeWith([]), tempDir('elsewhere')]
    const env = {
      CLAUDE_CONFIG_DIR: join(other, 'claude'),
      CODEX_HOME: join(other, 'codex'),
      XDG_CONFIG_HOME: join(other, 'xdg'),
      GEMINI_CLI_HOME: join(other, 'gemini'),
    }
    for (const dir of ['claude', 'codex', 'xdg/opencode', 'gemini/.gemini'])
      mkdirSync(join(other, dir), { recursive: true })
    const before = treeOf(other)
    const ran = await run(home, ['install', '--all'], env)
    expect(ran.stdout).toBe(
      ['claude-code', 'codex', 'opencode', 'gemini'].map((host) => `${host}: installed\n`).join(''),
    )
    for (const path of [
      ...['claude/skills/clawlink', 'codex/clawlink', 'xdg/opencode/plugin/clawlink.js'],
      'gemini/.gemini/extensions/clawlink',
    ])
      expect(existsSync(join(other, path)), path).toBe(true)
    expect(treeOf(home)).toEqual({})
    await run(home, ['uninstall', '--all'], env)
    expect(treeOf(other)).toEqual(before)
  })
})

it('[HOST-42] install --all, then uninstall --all: every byte of the home is as it was', async () => {
  const home = homeWith(PLUGIN_HOSTS)
  const before = treeOf(home)
  expect(await run(home, ['install', '--all'])).toMatchObject({ code: 0 })
  expect((await run(home, ['install', '--all'])).stdout).toBe(
    PLUGIN_HOSTS.map((host) => `${host}: as it was\n`).join(''),
  )
  expect(await run(home, ['uninstall', '--all'])).toMatchObject({ code: 0 })
  expect(treeOf(home)).toEqual(before)
})

it('[HOST-48] --dry-run names each path, and writes and removes nothing', async () => {
  const home = homeWith(PLUGIN_HOSTS)
  const before = treeOf(home)
  const ran = await run(home, ['install', '--all', '--dry-run'])
  expect(ran.stdout).toContain(`codex: would write ${join(home, '.codex/config.toml')}\n`)
  expect(ran.stdout).toMatch(/\nnothing was done: --dry-run\n$/)
  expect(treeOf(home)).toEqual(before)
  await run(home, ['install', 'codex'])
  const after = treeOf(home)
  const taken = await run(home, ['uninstall', '--all', '--dry-run'])
  expect(taken.stdout).toContain(
    `codex: would remove or restore ${join(home, '.codex/clawlink')}\n`,
  )
  expect(treeOf(home)).toEqual(after)
})

it('[HOST-45] a host that fails is named, and keeps none of the others from it', async () => {
  const home = homeWith([...PLUGIN_HOSTS, 'openclaw'])
  const config = join(home, '.codex/config.toml')
  writeFileSync(config, 'broken = "')
  const codex = () => Object.entries(treeOf(home)).filter(([path]) => path.startsWith('.codex'))
  const before = codex()
  const ran = await run(home, ['install', '--all'])
  expect(ran.code).toBe(5)
  expect(ran.stderr).toContain(`codex: ${config} is not valid TOML`)
  expect(ran.stderr).toMatch(/; openclaw: .*is not registered/)
  expect(ran.stdout).toBe(
    ['claude-code', 'opencode', 'gemini', 'cursor'].map((host) => `${host}: installed\n`).join(''),
  )
  expect(codex()).toEqual(before)
  expect(existsSync(join(home, '.openclaw/skills'))).toBe(false)
  expect((await run(home, ['install', '--all', '--json'])).json().error).toMatchObject({
    ...{ code: 'host_config', message: expect.stringContaining('done: claude-code, opencode') },
  })
})

it('[HOST-46] a disk that is full or read-only leaves everything as it was', async () => {
  const home = homeWith(['gemini'])
  const dir = join(home, '.gemini/extensions')
  const mount = (options: string) =>
    execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', dir], { stdio: 'pipe' })
  try {
    mount('size=16k')
  } catch {
    return // only root mounts
  }
  try {
    const full = await run(home, ['install', 'gemini'])
    expect(full).toMatchObject({ code: 5, stderr: expect.stringContaining('ENOSPC') })
    expect(treeOf(dir)).toEqual({})
    execFileSync('umount', [dir])
    mount('ro')
    const fixed = await run(home, ['install', 'gemini'])
    expect(fixed).toMatchObject({ code: 5, stderr: expect.stringContaining('EROFS') })
  } finally {
    execFileSync('umount', [dir])
  }
})

describe('[HOST-49] the command in a host’s files', () => {
  const launcher = (home: string) => join(home, '.claude/skills/clawlink/bin/clawlink-agent')
  const shell = (command: string, env: NodeJS.ProcessEnv = {}) =>
    spawnSync('/bin/sh', ['-c', command], { env: { PATH: '/nowhere', ...env }, encoding: 'utf8' })

  it('runs without PATH, in folders with blanks and quotes, as the profile of its installation', async () => {
    const home = join(homeWith([]), `it's "my" $HOME; \`x\``)
    mkdirSync(home)
    renameSync(homeWith(['claude-code']), join(home, 'user'))
    const user = join(home, 'user')
    const own = join(home, 'claw')
    const env = { CLAWLINK_HOME: own, CLAWLINK_SERVER: 'http://127.0.0.1:9' }
    const ran = await run(user, ['install', 'claude-code', '--as', 'ben'], env)
    expect(ran).toMatchObject({ code: 0 })
    const { mcpServers } = JSON.parse(
      readFileSync(join(user, '.claude/skills/clawlink/.claude-plugin/plugin.json'), 'utf8'),
    ) as { mcpServers: { clawlink: { command: string } } }
    expect(mcpServers.clawlink.command).toBe(launcher(user))
    const monitors = JSON.parse(
      readFileSync(join(user, '.claude/skills/clawlink/monitors/monitors.json'), 'utf8'),
    ) as { command: string }[]
    const word = monitors[0]!.command.replace(/ watch --hints --host claude-code$/, '')
    expect(shell(`${word} --version`).stdout).toBe(`${version}\n`)
    const who = shell(`${word} whoami`, { CLAWLINK_LINK: 'off' })
    expect(who.stderr).toContain('profile "ben" is not registered')
    expect(who.stderr).toContain('http://127.0.0.1:9 ')
    const other = shell(`${word} whoami`, { CLAWLINK_LINK: 'off', CLAWLINK_AGENT: 'eva' })
    expect(other.stderr, 'the host’s own variables count').toContain('profile "eva"')
  })

  it('once the program is gone runs another one of PATH, and else hooks and monitors stay silent', async () => {
    const home = homeWith(['claude-code'])
    await run(home, ['install', 'claude-code'])
    const gone = readFileSync(launcher(home), 'utf8').replace(/^script=.*$/m, "script='/gone'")
    writeFileSync(launcher(home), gone)
    const path = tempDir('other')
    writeFileSync(
      join(path, 'clawlink-agent'),
      `#!/bin/sh\nexec '${process.execPath}' '${bin('clawlink-agent.cjs')}' "$@"\n`,
      { mode: 0o755 },
    )
    // Its own folder may be in PATH, as a copy may be.
    const copy = tempDir('copy')
    symlinkSync(launcher(home), join(copy, 'clawlink-agent'))
    const dirs = [join(launcher(home), '..'), path].join(':')
    expect(shell(`'${launcher(home)}' --version`, { PATH: dirs }).stdout).toBe(`${version}\n`)
    const silent = { status: 0, stdout: '', stderr: '' }
    const env = { PATH: `${copy}:${join(launcher(home), '..')}` }
    expect(shell(`'${launcher(home)}' hook claude-code stop`, env)).toMatchObject(silent)
    expect(shell(`'${launcher(home)}' watch --hints`, env)).toMatchObject(silent)
    expect(shell(`'${launcher(home)}' poll`, env)).toMatchObject({
      ...{ status: 127, stderr: expect.stringMatching(/^error: \/gone is gone — /) },
    })
  })
})

it('[HOST-50] status tells per host what is found and installed, whether it is intact and whether it wakes', async () => {
  const home = homeWith(PLUGIN_HOSTS)
  expect(await status(home)).toHaveLength(HOSTS.length)
  await run(home, ['install', 'claude-code,gemini'])
  const by = async () => Object.fromEntries((await status(home)).map((host) => [host.host, host]))
  const all = await by()
  expect(all['claude-code']).toMatchObject({ installed: version, intact: true, wakes: true })
  expect(all.gemini).toMatchObject({ installed: version, intact: true, wakes: false })
  expect(all.codex).toMatchObject({ installed: null, intact: null, wakes: true })
  expect(all.openclaw).toMatchObject({ found: null })
  writeFileSync(join(home, '.gemini/extensions/clawlink/README.md'), 'mine')
  expect((await by()).gemini).toMatchObject({ intact: false })
  const { stdout } = await run(home, ['status', 'gemini'])
  expect(stdout).toContain('not intact; only injects: it cannot be woken')
  expect(stdout).toContain(`changed: ${join(home, '.gemini/extensions/clawlink/README.md')}`)
})

it.each([
  [['install'], 'no host given'],
  [['install', 'codx'], 'did you mean codex?'],
  [['install', 'codex', '--all'], 'give one of them'],
  [['instal', '--all'], 'did you mean install, uninstall?'],
])('[HOST-40] a wrong command line is named: %j', async (args, said) => {
  const ran = await run(homeWith([]), args)
  expect(ran).toMatchObject({ code: 2, stderr: expect.stringContaining(said) })
})
