/** PostgreSQL for tests, proofs and benchmarks: Debian's package, run as an unprivileged user in a folder of its own. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { ownPort } from '../own-port.ts'

const APT_MS = 240_000
const START_MS = 60_000
const TEMPLATE_MS = 120_000

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

/** A running PostgreSQL, on loopback and a port of its own. */
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

/** A standby that follows a primary. */
export interface Standby extends Postgres {
  /** Makes it a primary, which takes writes. */
  promote: () => Promise<void>
}

/** As in postgresql.conf; they win over what is set with SQL. */
export type Settings = Readonly<Record<string, string | number>>

/** Starts a new, empty one. */
export const startPostgres = async (bin: string, settings: Settings = {}): Promise<Postgres> => {
  const [dir, options] = newFolder()
  await fill(bin, join(dir, 'data'), options)
  return run(bin, dir, settings)
}

/** Makes an empty data folder. In a run of tests the first one is made, and the others are copies of it. */
const fill = async (bin: string, data: string, options: Spawning): Promise<void> => {
  const shared = process.env.CLAWLINK_TEST_DIR
  const template = join(shared ?? '', 'postgres')
  const isFirst = shared === undefined || (await isOurs(template))
  if (!isFirst) return void execFileSync('cp', ['-a', template, data])
  const access = ['-U', 'clawlink', '-A', 'trust', '-E', 'UTF8', '--no-locale', '--no-sync']
  try {
    execFileSync(join(bin, 'initdb'), ['-D', data, ...access], options)
    if (shared === undefined) return
    execFileSync('cp', ['-a', data, `${template}.new`])
    renameSync(`${template}.new`, template)
  } catch (error) {
    rmSync(lockOf(template), { recursive: true, force: true })
    throw error
  }
}

const lockOf = (template: string): string => `${template}.lock`

/** True if this process is the one that makes the template; false once it is there. */
const isOurs = async (template: string): Promise<boolean> => {
  const until = performance.now() + TEMPLATE_MS
  while (performance.now() < until) {
    if (existsSync(template)) return false
    try {
      mkdirSync(lockOf(template))
      return true
    } catch {
      await pause(20) // another process makes it
    }
  }
  throw new Error(`nobody made ${template}`)
}

/** Starts a standby of a primary; `name` is what `synchronous_standby_names` calls it. */
export const startStandby = async (
  bin: string,
  primary: Postgres,
  name: string,
): Promise<Standby> => {
  const [dir, options] = newFolder()
  const data = join(dir, 'data')
  const source = `host=127.0.0.1 port=${primary.port} user=clawlink application_name=${name}`
  execFileSync(
    join(bin, 'pg_basebackup'),
    ['-d', source, '-D', data, '-R', '-X', 'stream', '-c', 'fast'],
    options,
  )
  const standby = await run(bin, dir, {})
  const promote = async (): Promise<void> => {
    execFileSync(join(bin, 'pg_ctl'), ['promote', '-w', '-D', data], options)
  }
  return Object.assign(standby, { promote })
}

type Spawning = { uid?: number; gid?: number; cwd: string; stdio: 'pipe' }

const newFolder = (): [dir: string, Spawning] => {
  const user = userOf()
  const dir = mkdtempSync(join(tmpdir(), 'clawlink-pg-'))
  if (user.uid !== undefined) chownSync(dir, user.uid, user.gid!)
  return [dir, { ...user, cwd: dir, stdio: 'pipe' }]
}

/** Runs the data in `dir`. */
const run = async (bin: string, dir: string, settings: Settings): Promise<Postgres> => {
  const port = await ownPort()
  const all = {
    ...{ listen_addresses: '127.0.0.1', port, unix_socket_directories: '' },
    ...{ max_connections: 200, shared_buffers: '64MB', ...settings },
  }
  const flags = Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  const start = (): Promise<ChildProcess> => {
    const options = { ...userOf(), cwd: dir, stdio: 'pipe' as const }
    return ready(spawn(join(bin, 'postgres'), ['-D', join(dir, 'data'), ...flags], options))
  }
  let child = await start()
  // SIGQUIT: at once, without a checkpoint.
  const kill = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, 'exit')
    child.kill('SIGQUIT')
    await gone
  }
  return {
    ...{ url: `postgres://clawlink@127.0.0.1:${port}/postgres`, port, dir },
    get process() {
      return child
    },
    kill,
    restart: async () => {
      child = await start()
    },
    stop: async () => {
      await kill()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

const ready = async (child: ChildProcess): Promise<ChildProcess> => {
  let log = ''
  child.stderr?.on('data', (chunk) => {
    log += chunk
  })
  const until = performance.now() + START_MS
  while (!/ready to accept (read-only )?connections/.test(log)) {
    if (child.exitCode !== null || performance.now() > until) {
      throw new Error(`PostgreSQL does not start: ${log}`)
    }
    await pause(20)
  }
  log = ''
  child.stderr?.removeAllListeners('data').resume()
  return child
}
