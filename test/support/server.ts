import { type ChildProcess, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { authorization, parseTarget, type Target } from '../../client/http/target.ts'
import { runFileOf } from '../../protocol/roles.ts'
import { ownPort } from '../../scripts/own-port.ts'
import { atEnd } from './at-end.ts'

export { ownPort }

const findRoot = (from: string): string =>
  existsSync(join(from, 'package.json')) ? from : findRoot(dirname(from))

/** The repository; this file may run as a bundle from below node_modules/.cache. */
export const root = findRoot(dirname(fileURLToPath(import.meta.url)))
export const bin = (
  name: 'clawlink-sync.cjs' | 'clawlink-agent.cjs' | 'clawlink-agent-core.cjs' | 'clawlink.mjs',
) => join(root, 'dist', name)

const tempDirs: string[] = []

/** A new empty folder; removed when the process ends. */
export const tempDir = (label: string): string => {
  const dir = mkdtempSync(join(process.env.CLAWLINK_TEST_DIR ?? tmpdir(), `${label}-`))
  // Not sooner than now: what ends the processes in these folders finds them in there, and must have its turn before.
  if (tempDirs.length === 0) {
    process.once('exit', () => {
      for (const one of tempDirs) rmSync(one, { recursive: true, force: true })
    })
  }
  tempDirs.push(dir)
  return dir
}

/**
 * The owner's tokens of the servers under test, by port, for this process and those that it starts; a proxy has the token
 * of what is behind it.
 */
const nameOf = (port: number): string => `TEST_TOKEN_${port}`
const portOf = (url: string | URL): number => Number(new URL(url).port)

export const tokenOf = (url: string | URL): string | null =>
  process.env[nameOf(portOf(url))] ?? null
export const setToken = (port: number, token: string | null): void => {
  if (token === null) delete process.env[nameOf(port)]
  else process.env[nameOf(port)] = token
}

/** A proxy on port `proxy` stands in for a server: whoever may join that may join by it. */
export const standIn = (proxy: number, port: number): void => {
  setToken(proxy, process.env[nameOf(port)] ?? null)
  const dir = process.env.CLAWLINK_RUN_DIR
  if (dir === undefined) return
  rmSync(runFileOf(dir, proxy), { force: true })
  symlinkSync(runFileOf(dir, port), runFileOf(dir, proxy))
}

/** The header by which the owner of that server asks. */
export const asOwner = (url: string | URL): { authorization?: string } =>
  authorization({ token: () => tokenOf(url) })

/** `fetch` as the owner of that server. */
export const fetch = (url: string | URL, init: RequestInit = {}): Promise<Response> =>
  globalThis.fetch(url, { ...init, headers: { ...asOwner(url), ...init.headers } })

/** That server, as its owner. */
export const targetOf = (url: string): Target => ({
  ...parseTarget(url),
  token: () => tokenOf(url),
})

/** The owner's token in a server's data. */
export const ownerToken = (data: string): string =>
  (JSON.parse(readFileSync(join(data, 'owner.json'), 'utf8')) as { token: string }).token

/** A server under test. */
export interface ServerAt {
  /** `http://127.0.0.1:PORT` */
  url: string
  /** `ws://127.0.0.1:PORT/sync`: append `/<workspace>`. */
  sync: string
  port: number
  data: string
  /** The owner's: everything, in any name. */
  token: string
  /** Everything it wrote to stderr so far: one JSON log record a line. */
  log: () => string
  /** SIGTERM; resolves to the exit code. */
  stop: () => Promise<number | null>
}

/** A real `clawlink-sync` process. */
export interface Server extends ServerAt {
  process: ChildProcess
  /** What it prints for people, whole. */
  banner: () => Promise<string>
  /** SIGKILL; resolves when it is gone. */
  kill: () => Promise<void>
}

export interface ServerOptions {
  /** To be made once it listens. */
  workspaces?: readonly string[]
  data?: string
  port?: number
  args?: readonly string[]
  env?: Record<string, string>
  node?: string
  /** Whom it runs as, user and group; for root only. */
  uid?: number
}

/** Makes workspaces, as the owner: naming them makes none. */
export const makeWorkspaces = async (url: string, ...names: string[]): Promise<void> => {
  for (const workspace of names) {
    const body = JSON.stringify({ workspace })
    const answer = await fetch(`${url}/api/admin/add`, { method: 'POST', body })
    if (!answer.ok) throw new Error(`${workspace}: ${answer.status} ${await answer.text()}`)
  }
}

/**
 * The store for a server's data: its own schema in the PostgreSQL database that CLAWLINK_TEST_STORE names, where
 * `npm run proof -- postgres` runs the tests of the server on it; else LevelDB. A folder with a database stays with it, and
 * `args` that name a store hold.
 */
export const storeArgs = (data: string, args: readonly string[] = []): string[] => {
  const url = process.env.CLAWLINK_TEST_STORE
  if (!url || args.includes('--store')) return []
  if (existsSync(join(data, 'CURRENT')) || existsSync(join(data, 'store.json'))) return []
  return [
    '--store',
    `${url}?schema=t_${createHash('sha256').update(data).digest('hex').slice(0, 16)}`,
  ]
}

/** Starts a server on a free loopback port and resolves when it listens; rejects if it exits before. */
export const startServer = async (options: ServerOptions = {}): Promise<Server> => {
  const data = options.data ?? tempDir('data')
  const at = options.port ?? (await ownPort())
  const { args: more = [] } = options
  const args = ['--port', String(at), '--data', data, ...storeArgs(data, more), ...more]
  const child = spawn(options.node ?? process.execPath, [bin('clawlink-sync.cjs'), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...options.env },
    ...(options.uid !== undefined && { uid: options.uid, gid: options.uid }),
  })
  atEnd(() => child.kill('SIGKILL'))
  let out = ''
  let err = ''
  child.stderr.on('data', (chunk) => {
    err += chunk
  })
  const port = await new Promise<number>((resolve, reject) => {
    child.stdout.on('data', (chunk) => {
      out += chunk
      const listening = /https?:\/\/(?:127\.0\.0\.1|\[::1\]):(\d+)/.exec(out)
      if (listening) resolve(Number(listening[1]))
    })
    child.once('exit', (code) => {
      reject(new Error(`clawlink-sync exited with ${code} before it listened: ${out}${err}`))
    })
  })
  const [, tls = '', host = ''] = /http(s?):\/\/(127\.0\.0\.1|\[::1\]):\d/.exec(out) ?? []
  const token = ownerToken(data)
  setToken(port, token)
  const url = `http${tls}://${host}:${port}`
  await makeWorkspaces(url, ...(options.workspaces ?? []))
  const gone = async () => {
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    return child.exitCode
  }
  return {
    url,
    sync: `ws${tls}://${host}:${port}/sync`,
    port,
    data,
    token,
    process: child,
    log: () => err,
    banner: async () => {
      while (!out.endsWith('\n\n')) await once(child.stdout, 'data')
      return out
    },
    stop: () => {
      child.kill('SIGTERM')
      return gone()
    },
    kill: async () => {
      child.kill('SIGKILL')
      await gone()
    },
  }
}
