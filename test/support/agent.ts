import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { newAsk, type Printed, runAsk } from '../../client/resident/run.ts'
import { socketOf } from '../../client/resident/socket.ts'
import type { Ask } from '../../client/resident/wire.ts'
import type { ErrorBody } from '../../protocol/errors.ts'
import { atEnd } from './at-end.ts'
import { until } from './client.ts'
import { bin, root, tempDir } from './server.ts'

/** What `--json` prints. */
export interface Answer {
  ok: boolean
  data?: { [key: string]: unknown }
  error?: ErrorBody
}

/** How one run of clawlink-agent ended. */
export interface Ran {
  code: number | null
  stdout: string
  stderr: string
  /** stdout as the one JSON document it must be; throws if it is not. */
  json: () => Answer
}

export interface RunOptions {
  stdin?: string | Uint8Array
  env?: Record<string, string | undefined>
}

/** One agent: a CLAWLINK_HOME of its own, and real processes in it. */
export interface Agent {
  home: string
  /** Where its processes run: a folder of its own. */
  cwd: string
  run: (...args: string[]) => Promise<Ran>
  runWith: (options: RunOptions, ...args: string[]) => Promise<Ran>
  /**
   * As `run`, but without a process where a link is up: the link is asked from here, as the program asks it. For tests of what
   * a command does.
   */
  atLink: (...args: string[]) => Promise<Ran>
  /** `atLink` of a verb with --json that must succeed; its data. */
  ask: <T>(...args: string[]) => Promise<T>
  /** Starts it and leaves the rest to the caller. */
  start: (...args: string[]) => ChildProcess
}

/** How commands are carried out: by the link of their home, or each by itself. */
export type Way = 'link' | 'alone'
export const WAYS: readonly Way[] = ['link', 'alone']

/** Arguments by which a command line is carried out, or gets its stdin, in a process of its own. */
const OWN_PROCESS = /^(-|.*=-|--help|-h|openclaw|hosts|hook|mcp|--host(=.*)?)$/

/** The process id of the link of `home`; null: there is none. */
export const linkPid = (home: string): number | null => {
  try {
    return (JSON.parse(readFileSync(join(home, 'link.json'), 'utf8')) as { pid: number }).pid
  } catch {
    return null
  }
}

export const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

/** Ends the link of `home`; resolves when it is gone. */
export const killLink = async (home: string, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> => {
  const pid = linkPid(home)
  if (pid === null) throw new Error('there is no link')
  process.kill(pid, signal)
  await until('the link is gone', () => !isAlive(pid))
}

/** Ends the link of `home`, if there is one; does not wait. */
export const endLink = (home: string): void => {
  const pid = linkPid(home)
  try {
    if (pid !== null) process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended.
  }
}

const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

/** The answer of the link of `home` to a command; null: that is for a process, or no link is up. */
const runAt = async (
  home: string,
  { argv, cwd, env }: Pick<Ask, 'argv' | 'cwd' | 'env'>,
): Promise<Printed | null> => {
  const pid = linkPid(home)
  const socket = socketOf(home)
  const isOwn = argv.some((arg) => OWN_PROCESS.test(arg))
  if (isOwn || env.CLAWLINK_LINK === 'off' || pid === null || socket === null) return null
  if (!isAlive(pid)) return null
  const given = Object.entries(env).filter(([name]) => name.startsWith('CLAWLINK_'))
  const ask = { ...newAsk(version, argv), cwd, env: Object.fromEntries(given) }
  return runAsk({ home, socket, core: bin('clawlink-agent-core.cjs'), version }, ask)
}

/** An agent that talks to `server` (by CLAWLINK_SERVER), or to what its flags name. */
export const agent = (server?: string, home = tempDir('home'), way: Way = 'link'): Agent => {
  atEnd(() => endLink(home))
  const cwd = tempDir('cwd')
  const env: Ask['env'] = {
    ...process.env,
    CLAWLINK_HOME: home,
    CLAWLINK_AGENT: '',
    CLAWLINK_SERVER: server,
    CLAWLINK_LINK: way === 'alone' ? 'off' : '',
  }
  const spawnIt = (args: readonly string[], more: RunOptions['env'] = {}) =>
    spawn(process.execPath, [bin('clawlink-agent.cjs'), ...args], {
      cwd,
      env: { ...env, ...more },
      stdio: ['pipe', 'pipe', 'pipe'],
    })
  const runWith: Agent['runWith'] = async ({ stdin, env: more }, ...args) => {
    const child = spawnIt(args, more)
    const text = { stdout: '', stderr: '' }
    for (const stream of ['stdout', 'stderr'] as const) {
      child[stream].setEncoding('utf8').on('data', (chunk) => {
        text[stream] += chunk
      })
    }
    child.stdin.on('error', () => {}) // it need not read its stdin
    child.stdin.end(stdin)
    const [code] = (await once(child, 'close')) as [number | null]
    return { code, ...text, json: () => JSON.parse(text.stdout) as Answer }
  }
  const atLink: Agent['atLink'] = async (...argv) => {
    const ran = await runAt(home, { argv, cwd, env })
    if (ran === null) return runWith({}, ...argv)
    return { ...ran, json: () => JSON.parse(ran.stdout) as Answer }
  }
  return {
    home,
    cwd,
    runWith,
    run: (...args) => runWith({}, ...args),
    atLink,
    ask: async <T>(...args: string[]) => {
      const { code, stdout, stderr, json } = await atLink(...args, '--json')
      if (code !== 0) throw new Error(`${args.join(' ')}: ${code} ${stdout}${stderr}`)
      return json().data as T
    },
    start: (...args) => spawnIt(args),
  }
}

/** An agent that is registered as `name`; its id. */
export const registered = async (
  server: string,
  name: string,
  way: Way = 'link',
): Promise<Agent & { id: string }> => {
  const one = agent(server, tempDir('home'), way)
  const { agent_id } = await one.ask<{ agent_id: string }>('register', '--name', name)
  return { ...one, id: agent_id }
}
