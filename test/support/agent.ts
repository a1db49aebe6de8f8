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
   * As `run`, but without a process of its own: the link is asked from here, as the program asks it. For tests of what a
   * command does.
   */
  atLink: (...args: string[]) => Promise<Ran>
  /** `atLink` of a verb with --json that must succeed; its data. */
  ask: <T>(...args: string[]) => Promise<T>
  /** Starts it and leaves the rest to the caller. */
  start: (...args: string[]) => ChildProcess
}

/**
 * How commands are carried out: by the link of their home, or each by itself; `here`: in this process, where the link is, too.
 * That takes a tenth of the CPU, and is for tests that do not look at processes.
 */
export type Way = 'link' | 'alone' | 'link-here' | 'alone-here'
export const WAYS: readonly Way[] = ['link', 'alone']
export const WAYS_HERE: readonly Way[] = ['link-here', 'alone-here']

/** Arguments by which a command line is carried out in a process of its own, and those by which it reads stdin. */
const PROGRAM = /^(--help|-h|openclaw|hosts|hook|mcp|--host(=.*)?)$/
const isProgram = (argv: readonly string[]): boolean =>
  argv.some((arg) => PROGRAM.test(arg)) || argv.length === 0 || argv.join() === '--version'
const STDIN = /^(-|.*=-)$/

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
  if (pid === process.pid) throw new Error('the link is in this process')
  process.kill(pid, signal)
  await until('the link is gone', () => !isAlive(pid))
}

/** Ends the link of `home`, if there is one; does not wait. */
export const endLink = (home: string): void => {
  const pid = linkPid(home)
  try {
    if (pid !== null && pid !== process.pid) process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended.
  }
}

const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

/** A command line, where it is given, and its stdin. */
type Line = Pick<Ask, 'argv' | 'cwd' | 'env'> & { stdin?: RunOptions['stdin'] }

const askOf = ({ argv, cwd, env, stdin }: Line): Ask => {
  const given = Object.entries(env).filter(([name]) => name.startsWith('CLAWLINK_'))
  const bytes = stdin === undefined ? null : Buffer.from(stdin).toString('base64')
  return { ...newAsk(version, argv), cwd, env: Object.fromEntries(given), stdin: bytes }
}

/** The answer of the link of `home` to a command, which starts one if need be; null: there can be none. */
const runAt = async (home: string, line: Line): Promise<Printed | null> => {
  const socket = socketOf(home)
  if (line.env.CLAWLINK_LINK === 'off' || socket === null) return null
  return runAsk({ home, socket, core: bin('clawlink-agent-core.cjs'), version }, askOf(line))
}

const isHere = (way: Way): boolean => way === 'link-here' || way === 'alone-here'

/** The answer to a command that is carried out in this process; null: it is for one of its own. */
const runHere = async (home: string, way: Way, line: Line): Promise<Printed | null> => {
  if (!isHere(way) || isProgram(line.argv)) return null
  const here = await import('./agent-here.ts')
  if (way === 'alone-here') return here.runAlone(askOf(line))
  const pid = linkPid(home)
  if (pid === null || !isAlive(pid)) await here.startLink(home, version)
  return runAt(home, line)
}

/** An agent that talks to `server` (by CLAWLINK_SERVER), or to what its flags name. */
export const agent = (
  server?: string,
  home = tempDir('home'),
  way: Way = 'link',
  cwd = tempDir('cwd'),
): Agent => {
  atEnd(() => endLink(home))
  const env: Ask['env'] = {
    ...process.env,
    CLAWLINK_HOME: home,
    CLAWLINK_AGENT: '',
    CLAWLINK_SERVER: server,
    CLAWLINK_LINK: way === 'alone' || way === 'alone-here' ? 'off' : '',
  }
  const spawnIt = (args: readonly string[], more: RunOptions['env'] = {}) =>
    spawn(process.execPath, [bin('clawlink-agent.cjs'), ...args], {
      cwd,
      env: { ...env, ...more },
      stdio: ['pipe', 'pipe', 'pipe'],
    })
  const runWith: Agent['runWith'] = async ({ stdin, env: more }, ...args) => {
    const line = {
      argv: args,
      cwd,
      env: { ...env, ...more },
      ...(stdin !== undefined && { stdin }),
    }
    const here = await runHere(home, way, line)
    if (here !== null) return { ...here, json: () => JSON.parse(here.stdout) as Answer }
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
    const isOwn = isProgram(argv) || argv.some((arg) => STDIN.test(arg))
    const ran = isOwn || isHere(way) ? null : await runAt(home, { argv, cwd, env })
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

/** `agent` and `registered` without a process: see `Way`. */
export const agentHere = (
  server?: string,
  home = tempDir('home'),
  way: Way = 'link-here',
  cwd?: string,
): Agent => agent(server, home, way, cwd)
export const registeredHere = (
  server: string,
  name: string,
  way: Way = 'link-here',
): Promise<Agent & { id: string }> => registered(server, name, way)
