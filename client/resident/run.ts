import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { ClawError, type ErrorBody } from '../../protocol/errors.ts'
import { workingDir } from '../http/cwd.ts'
import { foreignLink, homeTrouble } from '../http/home.ts'
import { socketOf } from './socket.ts'
import { startLink } from './start.ts'
import { type Ask, clawlinkEnv, lineReader, newKey, type Say } from './wire.ts'

/**
 * The number of links that a command is given to, one after another, if they end before they
 * answer.
 */
const MAX_LOST = 5
const RETRY_MS = 50

/** The socket of a home's link, and how to start one. */
export interface LinkAt {
  home: string
  socket: string
  /** The program that is the link. */
  core: string
  version: string
}

/** The result of a command: exit code and output. */
export interface Ran {
  code: number
  data?: unknown
  error?: ErrorBody
  stderr: string
}

export const newAsk = (version: string, argv: readonly string[], stdin?: string): Ask => {
  const at = Date.now()
  return {
    version,
    argv,
    cwd: workingDir(),
    env: clawlinkEnv(),
    stdin: stdin === undefined ? null : Buffer.from(stdin).toString('base64'),
    terminal: false,
    at,
    key: newKey(at),
  }
}

/** The result of a command, as it was printed. */
export interface Printed {
  code: number
  stdout: string
  stderr: string
}

/** null: the link went away, or there is none. */
const tell = (path: string, ask: Ask): Promise<Printed | null> =>
  new Promise((resolve) => {
    let stdout = ''
    let stderr = ''
    const read = lineReader((line) => {
      const said = JSON.parse(line) as Say
      stdout += said.out ?? ''
      stderr += said.err ?? ''
      if (said.ack) socket.write('{"ack":true}\n')
      if (said.code !== undefined) resolve({ code: said.code, stdout, stderr })
      if (said.code !== undefined || said.next) socket.destroy()
    })
    const socket = connect(path, () => socket.write(`${JSON.stringify(ask)}\n`))
    socket.setEncoding('utf8')
    socket.on('data', (chunk: string) => read(chunk))
    socket.on('error', () => {}) // and closes
    socket.on('close', () => resolve(null))
  })

const answerOf = (out: string): { data?: unknown; error?: ErrorBody } => {
  if (out === '') return {}
  const { data, error } = JSON.parse(out) as { data?: unknown; error?: ErrorBody }
  return { ...(data !== undefined && { data }), ...(error !== undefined && { error }) }
}

/**
 * Runs a command line of clawlink-agent in the link; starts a link if there is none. Its writes happen once, even if
 * links end during it. Never throws: errors are part of the answer.
 */
export const runVerb = async (
  link: LinkAt,
  argv: readonly string[],
  stdin?: string,
): Promise<Ran> => {
  const ran = await runAsk(link, newAsk(link.version, [...argv, '--json'], stdin))
  if (ran !== null) return { ...answerOf(ran.stdout), code: ran.code, stderr: ran.stderr }
  const error = noLink(link.home)
  return { code: error.exit, error: error.toBody(), stderr: '' }
}

/** Has the link carry out a command, as `runVerb` does; null: no link can be kept running. */
export const runAsk = async (link: LinkAt, ask: Ask): Promise<Printed | null> => {
  for (let lost = 0; lost < MAX_LOST; lost++) {
    const ran = await tell(link.socket, ask)
    if (ran !== null) return ran
    await sleep(lost * RETRY_MS)
    if (!(await startLink(link.home, link.socket, link.core))) break
  }
  return null
}

export const noLink = (home: string): ClawError =>
  foreignLink(home, socketOf(home)) ??
  homeTrouble(home) ??
  new ClawError('unreachable', 'no link can be kept running here', `${home}/link.log may say why`)
