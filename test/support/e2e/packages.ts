import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { root, tempDir } from '../server.ts'

/** The Node that hosts run with where this one is older (engines of OpenClaw's package.json). */
const NODE_VERSION = '24'

/** Keeps installed packages for the next run; CLAWLINK_E2E_CACHE names another folder. */
const cache = process.env.CLAWLINK_E2E_CACHE ?? join(root, 'node_modules/.cache/clawlink')

/** Runs npm, whose scripts find the Node that is first on `path`. Throws with npm's reason. */
const npm = (args: readonly string[], cwd: string, path: string): string =>
  execFileSync('npm', [...args, '--no-audit', '--no-fund', '--loglevel', 'error'], {
    ...{ cwd, encoding: 'utf8', env: { ...process.env, PATH: path } },
    stdio: ['ignore', 'pipe', 'pipe'],
  })

/** The folder with that package below node_modules; installed from npm where it is missing. */
export const installed = (name: string, version: string, path = process.env.PATH!): string => {
  const dir = join(cache, `${name.replace('/', '+')}-${version}`)
  const isThere = join(dir, 'node_modules', name, 'package.json')
  if (existsSync(isThere)) return dir
  rmSync(dir, { recursive: true, force: true })
  mkdirSync(dir, { recursive: true })
  npm(['install', '--prefix', dir, `${name}@${version}`], root, path)
  return dir
}

/** The folder of a Node that all hosts run with. */
export const nodeFolder = (): string => {
  const isNew = Number(process.versions.node.split('.')[0]) >= Number(NODE_VERSION)
  if (isNew) return join(process.execPath, '..')
  const name = `node-${process.platform}-${process.arch}`
  return join(installed(name, NODE_VERSION), 'node_modules', name, 'bin')
}

/** A new folder with this repository's own package installed in it, as its users have it. */
export const installOwn = (path: string): string => {
  const own = tempDir('clawlink-package')
  const packed = npm(['pack', '--silent', '--pack-destination', own], root, path)
  npm(['install', '--prefix', own, join(own, packed.trim().split('\n').at(-1)!)], own, path)
  return own
}

export const binOf = (dir: string): string => join(dir, 'node_modules/.bin')

/** What `PROGRAM --version` prints. */
export const versionOf = (program: string, path: string): string =>
  execFileSync(program, ['--version'], {
    encoding: 'utf8',
    env: { ...process.env, PATH: path },
  }).trim()
