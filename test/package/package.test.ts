import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, statSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core'
import { publint } from 'publint'
import { beforeAll, expect, it } from 'vitest'
import { walkAsNewcomer } from '../support/newcomer.ts'
import { bin, ownPort, root, tempDir } from '../support/server.ts'

const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  version: string
  bin: Record<string, string>
  dependencies: Record<string, string>
}
const ALLOWED = ['MIT', 'ISC', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause']

interface Packed {
  filename: string
  size: number
  unpackedSize: number
  files: { path: string; mode: number }[]
}
let packed: Packed
let tarball: Buffer

beforeAll(() => {
  const dir = tempDir('pack')
  const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', dir]
  packed = (JSON.parse(execFileSync('npm', args, { cwd: root, encoding: 'utf8' })) as [Packed])[0]
  tarball = readFileSync(join(dir, packed.filename))
})

it('[PACKAGE-5] the package has the programs, what one reads about them and skills; it is small', () => {
  const paths = packed.files.map(({ path }) => path)
  const page = paths.filter((path) => path.startsWith('dist/page-'))
  const names = page.map((path) => path.replace(/-[A-Z0-9]{8}\./, '.').slice('dist/page-'.length))
  for (const name of ['index.html', 'main.js', 'editor.js', 'style.css', 'icon.svg', 'sw.js']) {
    expect(names).toContain(`${name}.gz`)
  }
  // What the page loads later has the name of its module.
  expect(names.filter((name) => !/^[a-z-]+\.(css|html|js|svg)\.gz$/.test(name))).toEqual([])
  expect(paths.filter((path) => !/^(docs|skills|dist\/page-)/.test(path)).sort()).toEqual([
    'AGENTS.md',
    'ARCHITECTURE.md',
    'CHANGELOG.md',
    'CONTRIBUTING.md',
    'LICENSE',
    'README.md',
    'dist/THIRD_PARTY_NOTICES.txt',
    'dist/clawlink-agent-core.cjs',
    'dist/clawlink-agent-mcp.cjs',
    'dist/clawlink-agent-outside.cjs',
    'dist/clawlink-agent-pipe.cjs',
    'dist/clawlink-agent.cjs',
    'dist/clawlink-core.mjs',
    'dist/clawlink-sync-core.cjs',
    'dist/clawlink-sync-pg.cjs',
    'dist/clawlink-sync-texts.cjs',
    'dist/clawlink-sync.cjs',
    'dist/clawlink-syntax.mjs',
    'dist/clawlink.mjs',
    'package.json',
  ])
  const readme = readFileSync(join(root, 'README.md'), 'utf8')
  for (const [, link] of readme.matchAll(/\]\((?!https?:)([^)#]+)/g)) {
    expect(
      paths.some((path) => path === link || path.startsWith(`${link}/`)),
      link,
    ).toBe(true)
  }
  expect(packed.size).toBeLessThan(2_000_000)
  expect(packed.unpackedSize).toBeLessThan(7_250_000)
  // What every command loads: no help text gets into it.
  expect(statSync(bin('clawlink-agent.cjs')).size).toBeLessThan(8_000)
})

it('[PACKAGE-5] each program is executable by its name, and they are of one version', () => {
  for (const path of Object.values(manifest.bin)) {
    expect(packed.files.find((file) => file.path === path)?.mode, path).toBe(0o755)
    expect(readFileSync(join(root, path), 'utf8').split('\n', 1)[0]).toBe('#!/usr/bin/env node')
    const { stdout } = spawnSync(join(root, path), ['--version'], { encoding: 'utf8' })
    expect(stdout, path).toBe(`${manifest.version}\n`)
  }
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'))
  expect(lock.version).toBe(manifest.version)
  const [, newest] = /^## (\S+)/m.exec(readFileSync(join(root, 'CHANGELOG.md'), 'utf8'))!
  expect(newest).toBe(manifest.version)
  expect(readFileSync(join(root, 'README.md'), 'utf8')).toContain(packed.filename)
})

it('[PACKAGE-5] [PACKAGE-9] publint and attw find nothing', async () => {
  const data = tarball.buffer.slice(tarball.byteOffset, tarball.byteOffset + tarball.length)
  const { messages } = await publint({ pack: { tarball: data as ArrayBuffer } })
  expect(messages).toEqual([])
  const checked = await checkPackage(createPackageFromTarballData(new Uint8Array(tarball)))
  // There is nothing in it to import, so there are no types that could be wrong.
  expect(checked).toEqual({
    packageName: 'clawlink',
    packageVersion: manifest.version,
    types: false,
  })
})

/** The package as it is unpacked beside nothing but what it depends on, and a folder with its programs by name. */
const installed = (): { home: string; path: string } => {
  const home = tempDir('installed')
  const [path, modules] = [join(home, 'bin'), join(home, 'node_modules')]
  for (const dir of [path, modules]) mkdirSync(dir)
  execFileSync('tar', ['-xzf', '-', '-C', modules], { input: tarball })
  for (const name of Object.keys(manifest.dependencies)) {
    symlinkSync(join(root, 'node_modules', name), join(modules, name))
  }
  symlinkSync(process.execPath, join(path, 'node'))
  for (const [name, file] of Object.entries(manifest.bin)) {
    symlinkSync(join(modules, 'package', file), join(path, name))
  }
  return { home, path }
}

it('[PACKAGE-6] all that the programs load is in them, but LevelDB, which is native', () => {
  expect(Object.keys(manifest.dependencies)).toEqual(['level'])
  const { home, path } = installed()
  for (const name of Object.keys(manifest.bin)) {
    const ran = spawnSync(join(path, name), ['--help'], {
      env: { HOME: home, PATH: path },
      encoding: 'utf8',
    })
    expect(ran, name).toMatchObject({ status: 0, stderr: '' })
  }
})

it('[PACKAGE-7] what others wrote is under a licence that allows it, and is named with it', () => {
  const notices = readFileSync(join(root, 'dist/THIRD_PARTY_NOTICES.txt'), 'utf8')
  const named = [...notices.matchAll(/^(\S+) \d+\.\d+\.\d+\S* \((.+)\)$/gm)]
  expect(named.length).toBeGreaterThan(40)
  for (const [, name, licence] of named) expect(ALLOWED, name).toContain(licence)
  for (const name of ['yjs', 'hono', 'ink', 'ws', 'pino']) {
    expect(named.map(([, one]) => one)).toContain(name)
  }
  expect(notices.match(/^Copyright|^\(c\)|Copyright/gim)!.length).toBeGreaterThan(40)

  const look = (name: string, seen: Set<string>): void => {
    if (seen.has(name)) return
    seen.add(name)
    const at = join(root, 'node_modules', name, 'package.json')
    const { license, dependencies = {} } = JSON.parse(readFileSync(at, 'utf8'))
    expect(ALLOWED, name).toContain(license)
    for (const one of Object.keys(dependencies)) look(one, seen)
  }
  for (const name of Object.keys(manifest.dependencies)) look(name, new Set())
})

it('[PACKAGE-8] the README’s six commands are a first answered task between two homes', async () => {
  const { home, path } = installed()
  const port = String(await ownPort())
  const env = {
    ...{ HOME: home, PATH: path, CLAWLINK_RUN_DIR: join(home, 'run') },
    ...{ CLAWLINK_PORT: port, CLAWLINK_SERVER: `http://127.0.0.1:${port}` },
  }
  const { commands, answer } = await walkAsNewcomer(env, home, 1)
  expect(commands).toHaveLength(5) // and the one that installs, which npm run proof -- package does
  expect(answer).toMatch(/^t-\w+ completed by a-\w+ \(bob\): hello$/m)
})
