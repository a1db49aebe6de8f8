/** PostgreSQL for tests, proofs and benchmarks: Debian's package, run as an unprivileged user in a folder of its own. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'

const APT_MS = 240_000
const START_MS = 30_000

/** The folder of its programs, or why there is none. */
export type FoundPostgres = { bin: string; why?: never } | { bin?: never; why: string }

const DEBIAN = '/usr/lib/postgresql'

/** Looks where packages put it: CLAWLINK_POSTGRES (a folder with initdb), Debian's folder, PATH. */
const lookedUp = (): string | null => {
  const debian = existsSync(DEBIAN)
    ? readdirSync(DEBIAN)
        .map(Number)
        .sort((a, b) => b - a)
    : []
  const folders = [
    ...(process.env.CLAWLINK_POSTGRES ? [process.env.CLAWLINK_POSTGRES] : []),
    ...debian.map((version) => join(DEBIAN, String(version), 'bin')),
    ...(process.env.PATH ?? '').split(':'),
  ]
  const has = (folder: string) =>
    ['initdb', 'postgres'].every((one) => existsSync(join(folder, one)))
  return folders.find(has) ?? null
}

/** Installs Debian's package, as root or by sudo without a password; false if that cannot be done. */
const install = (): boolean => {
  const isRoot = process.getuid?.() === 0
  if (!existsSync('/usr/bin/apt-get')) return false
  if (!isRoot && spawnSync('sudo', ['-n', 'true']).status !== 0) return false
  // RUNLEVEL: the package starts no server of its own.
  const env = ['DEBIAN_FRONTEND=noninteractive', 'RUNLEVEL=1', 'apt-get', '-q', '-y']
  const [command, first] = isRoot ? ['env', env] : (['sudo', ['-n', 'env', ...env]] as const)
  const apt = (...args: string[]): boolean =>
    spawnSync(command, [...first, ...args], { timeout: APT_MS }).status === 0
  const add = () => apt('install', '--no-install-recommends', 'postgresql')
  return add() || (apt('update') && add())
}

/** Finds PostgreSQL, and installs it if it is missing and that can be done without asking. */
export const findPostgres = (): FoundPostgres => {
  if (process.platform === 'win32') return { why: 'these tests run it on Linux and macOS only' }
  const bin = lookedUp() ?? (install() ? lookedUp() : null)
  if (bin !== null) return { bin }
  return {
    why: 'it is not installed (Debian: apt install postgresql), and cannot be installed here',
  }
}

/** It refuses to run as root. */
const userOf = (): { uid?: number; gid?: number } => {
  if (process.getuid?.() !== 0) return {}
  const id = (flag: string) => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }))
  return { uid: id('-u'), gid: id('-g') }
}

const freePort = async (): Promise<number> => {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as { port: number }
  probe.close()
  await once(probe, 'close')
  return port
}

/** A running PostgreSQL, on loopback and a free port. */
export interface Postgres {
  /** `postgres://clawlink@127.0.0.1:PORT/postgres` */
  url: string
  port: number
  /** The folder of its data. */
  dir: string
  process: ChildProcess
  /** Ends it at once, as a crash does; its data stays. */
  kill: () => Promise<void>
  /** Starts it again after `kill`. */
  restart: () => Promise<void>
  /** Ends it and removes its data. */
  stop: () => Promise<void>
}

/** Starts a new, empty one. `settings`: as in postgresql.conf. */
export const startPostgres = async (
  bin: string,
  settings: Readonly<Record<string, string | number>> = {},
): Promise<Postgres> => {
  const user = userOf()
  const dir = mkdtempSync(join(tmpdir(), 'clawlink-pg-'))
  if (user.uid !== undefined) chownSync(dir, user.uid, user.gid!)
  const data = join(dir, 'data')
  const options = { ...user, cwd: dir, stdio: 'pipe' as const }
  const init = [
    '-D',
    data,
    '-U',
    'clawlink',
    '-A',
    'trust',
    '-E',
    'UTF8',
    '--no-locale',
    '--no-sync',
  ]
  execFileSync(join(bin, 'initdb'), init, options)
  const port = await freePort()
  const all = {
    ...{ listen_addresses: '127.0.0.1', port, unix_socket_directories: '' },
    ...{ max_connections: 200, shared_buffers: '64MB', ...settings },
  }
  const flags = Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  const start = async (): Promise<ChildProcess> => {
    const child = spawn(join(bin, 'postgres'), ['-D', data, ...flags], options)
    let log = ''
    child.stderr?.on('data', (chunk) => {
      log += chunk
    })
    const until = performance.now() + START_MS
    while (!log.includes('ready to accept connections')) {
      if (child.exitCode !== null || performance.now() > until) {
        throw new Error(`PostgreSQL does not start: ${log}`)
      }
      await pause(20)
    }
    log = ''
    child.stderr?.removeAllListeners('data').resume()
    return child
  }
  let child = await start()
  // SIGQUIT: at once, without a checkpoint.
  const kill = async (signal: NodeJS.Signals = 'SIGQUIT'): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, 'exit')
    child.kill(signal)
    await gone
  }
  return {
    ...{ url: `postgres://clawlink@127.0.0.1:${port}/postgres`, port, dir },
    get process() {
      return child
    },
    kill: () => kill(),
    restart: async () => {
      child = await start()
    },
    stop: async () => {
      await kill()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}
