import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Agent } from './agent.ts'
import { atEnd } from './at-end.ts'
import { bin } from './server.ts'

/** A program that stands for a host: it runs commands of clawlink-agent, and hands on what they print. */
const HOST = `
const { spawn } = require('node:child_process')
require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
  const { n, args, env, stdin } = JSON.parse(line)
  const child = spawn('sh', ['-c', '"$0" "$@"; exit $?', process.execPath, ...args], {
    env: { ...process.env, ...env }, stdio: ['pipe', 'pipe', 'pipe'],
  })
  const say = (said) => process.stdout.write(JSON.stringify({ n, ...said }) + '\\n')
  say({ pid: child.pid })
  child.stdin.on('error', () => {})
  if (stdin !== null) child.stdin.end(stdin)
  for (const name of ['stdout', 'stderr']) {
    child[name].setEncoding('utf8').on('data', (text) => say({ [name]: text }))
  }
  child.on('close', (code) => say({ code }))
}).on('close', () => process.exit())
`

/** The end of a command that a host ran. */
export interface HostRan {
  code: number | null
  stdout: string
  stderr: string
}

export interface Running {
  /** Everything that it printed on stdout so far. */
  readonly stdout: string
  readonly code: number | null | undefined
  /** The process id of the shell around it. */
  readonly pid: number | undefined
  ended: Promise<HostRan>
}

export interface Host {
  process: ChildProcess
  /** Starts a command in this host; `stdin` null: it stays open. */
  start: (args: readonly string[], stdin?: string | null, env?: Record<string, string>) => Running
  run: (args: readonly string[], stdin?: string, env?: Record<string, string>) => Promise<HostRan>
  kill: () => Promise<void>
}

/** A host on the machine of `one`. */
export const startHost = ({ home, cwd }: Pick<Agent, 'home' | 'cwd'>, env: object = {}): Host => {
  const child = spawn(process.execPath, ['-e', HOST], {
    cwd,
    env: {
      ...process.env,
      ...{ CLAWLINK_HOME: home, CLAWLINK_AGENT: '', CLAUDE_PID: '', CLAUDE_CODE_SESSION_ID: '' },
      ...env,
    },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  atEnd(() => child.kill('SIGKILL'))
  const said = new Map<number, (line: Record<string, unknown>) => void>()
  createInterface({ input: child.stdout }).on('line', (line) => {
    const { n, ...rest } = JSON.parse(line) as { n: number }
    said.get(n)?.(rest)
  })
  const start: Host['start'] = (args, stdin = null, more = {}) => {
    const n = said.size
    const one = { stdout: '', stderr: '', code: undefined as number | null | undefined, pid: 0 }
    const ended = new Promise<HostRan>((resolve) => {
      said.set(n, ({ pid, stdout, stderr, code }) => {
        if (typeof pid === 'number') one.pid = pid
        one.stdout += stdout ?? ''
        one.stderr += stderr ?? ''
        if (code === undefined) return
        one.code = code as number | null
        resolve({ code: one.code, stdout: one.stdout, stderr: one.stderr })
      })
    })
    const whole = [bin('clawlink-agent.cjs'), ...args]
    child.stdin.write(`${JSON.stringify({ n, args: whole, env: more, stdin })}\n`)
    return Object.defineProperties({ ended } as Running, {
      stdout: { get: () => one.stdout },
      code: { get: () => one.code },
      pid: { get: () => one.pid },
    })
  }
  return {
    process: child,
    start,
    run: (args, stdin = '', more = {}) => start(args, stdin, more).ended,
    kill: async () => {
      const gone = once(child, 'exit')
      child.kill('SIGKILL')
      await gone
    },
  }
}
