import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { socketOf } from '../client/resident/socket.ts'
import { type Ask, lineReader, type Say } from '../client/resident/wire.ts'
import { childEnv, killAtEnd, killProcess, program, root, tempDir } from './programs.ts'

/** A link that answers later is broken (ms). */
const LIMIT = 120_000
/** How often to look whether a link is gone (ms). */
const GONE_CHECK = 5

const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  version: string
}

/** How a command ended. */
export interface Answer {
  code: number
  out: string
  err: string
}

/** A CLAWLINK_HOME, and the resident link of it. */
export interface Home {
  dir: string
  env: NodeJS.ProcessEnv
  /** The process of the link. */
  pid: () => number
  /** Starts the link if there is none, by a command as anyone would. */
  up: () => Promise<void>
  /** Hands the link a command as the shim does, but from this process: no start of one is in what it takes. */
  tell: (argv: readonly string[]) => Promise<Answer>
  /** The same with `--json`; its data. Throws unless it succeeds. */
  ask: <T>(...argv: string[]) => Promise<T>
  /** Starts a real command; its stdout is piped. */
  start: (...argv: string[]) => ChildProcess
  /** Sends the link a signal; resolves when it is gone. SIGTERM lets the next one go on where it was. */
  end: (signal: NodeJS.Signals) => Promise<void>
}

/** Gives a command to the link that listens at `path`. */
const talkTo = (path: string, ask: Ask): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const answer: Answer = { code: -1, out: '', err: '' }
    const socket = connect(path, () => socket.write(`${JSON.stringify(ask)}\n`))
    const timer = setTimeout(() => {
      socket.destroy()
      reject(new Error(`no answer to ${ask.argv.join(' ')} within ${LIMIT} ms`))
    }, LIMIT)
    const read = lineReader((line) => {
      const { out = '', err = '', ack, code } = JSON.parse(line) as Say
      answer.out += out
      answer.err += err
      if (ack) socket.write('{"ack":true}\n')
      if (code === undefined) return
      answer.code = code
      clearTimeout(timer)
      resolve(answer)
      socket.destroy()
    })
    socket.setEncoding('utf8')
    socket.on('data', (chunk: string) => read(chunk))
    socket.on('error', () => {})
    socket.on('close', () => {
      clearTimeout(timer)
      reject(new Error(`the link did not answer ${ask.argv.join(' ')}`))
    })
  })

/** A home of its own for commands that talk to the server at `port`; nothing runs there yet. */
export const newHome = (port: number, node = process.execPath): Home => {
  const dir = tempDir()
  const socket = socketOf(dir)
  if (socket === null) throw new Error(`no place for the socket of a link in ${dir}`)
  const clawlink = { CLAWLINK_HOME: dir, CLAWLINK_SERVER: `http://127.0.0.1:${port}` }
  const env = { ...childEnv, ...clawlink }
  const agent = program('clawlink-agent')
  let pid: number | null = null
  let forget = () => {}

  const tell: Home['tell'] = (argv) =>
    talkTo(socket, {
      version,
      argv,
      cwd: dir,
      env: clawlink,
      stdin: null,
      terminal: false,
      at: Date.now(),
      key: randomUUID(),
    })
  const start: Home['start'] = (...argv) =>
    spawn(node, [agent, ...argv], { env, stdio: ['ignore', 'pipe', 'inherit'] })

  return {
    dir,
    env,
    pid: () => {
      if (pid === null) throw new Error(`no link runs in ${dir}`)
      return pid
    },
    tell,
    start,
    up: async () => {
      const up = start('up')
      up.stdout!.resume()
      const [code] = (await once(up, 'exit')) as [number]
      if (code !== 0) throw new Error(`up: exit ${code}`)
      const link = JSON.parse(readFileSync(join(dir, 'link.json'), 'utf8')) as { pid: number }
      pid = link.pid
      forget = killAtEnd(pid)
    },
    ask: async <T>(...argv: string[]) => {
      const { code, out, err } = await tell([...argv, '--json'])
      if (code !== 0) throw new Error(`${argv.join(' ')}: exit ${code}: ${out}${err}`)
      return (JSON.parse(out) as { data: T }).data
    },
    end: async (signal) => {
      if (pid === null) return
      killProcess(pid, signal)
      while (killProcess(pid, 0)) await sleep(GONE_CHECK)
      forget()
      pid = null
    },
  }
}
