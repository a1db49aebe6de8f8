import module from 'node:module'
import { setTimeout as sleep } from 'node:timers/promises'
import { becomeSudoUser, foreignLink } from '../client/http/home.ts'
import { homeOf, socketOf } from '../client/resident/socket.ts'
import { startLink } from '../client/resident/start.ts'
import type { Ask } from '../client/resident/wire.ts'
import { redirectConsole } from '../lib/console.ts'
import { isStdoutClosed, notPrinted, write } from '../lib/disk/stdout.ts'
import type { ClawError } from '../protocol/errors.ts'
import type { Env } from './command/call.ts'
import { inProcess } from './command/runtime.ts'
import { execute, refused } from './execute.ts'
import { joinMcp, type Opened, pipe, stdio } from './mcp/pipe.ts'
import { isMcp, program } from './program.ts'
import { printIfStopped, sendCommand, UNACKNOWLEDGED } from './runtime/ipc-client.ts'
import { serve } from './runtime/serve.ts'
import { readArgs } from './verb-table/args.ts'

/**
 * Number of links that may end during a command, besides the shim's, before the command runs in
 * this process.
 */
const MAX_LOST = 5
/** A link that had a command for so long, in milliseconds, did not end over it. */
const SETTLED_MS = 60_000

/** Carries the command line out in this process, or says why that cannot be; resolves to the exit code. */
const runAlone = async (ask: Ask, wrong?: ClawError): Promise<number> => {
  const { stdin, ...rest } = ask
  /** Why stdout did not take all of it. */
  let failed: string | null = null
  const print = async (text: string): Promise<void> => {
    failed ??= await write(1, text)
    if (failed !== null || isStdoutClosed()) throw new Error('nobody reads')
  }
  const request = {
    ...rest,
    env: ask.env as Env,
    stdin: stdin === null ? null : Buffer.from(stdin, 'base64'),
    signal: new AbortController().signal,
    print,
    say: (text: string) => void write(2, text),
    ifStopped: printIfStopped,
  }
  const { stdout, stderr, code, after, done } =
    wrong === undefined ? await execute(request, inProcess) : refused(wrong, request)
  // A stream that nobody takes has ended by what `print` throws: it is said below why.
  const isTaken = failed === null
  failed ??= await write(1, stdout)
  if (isTaken) await write(2, stderr)
  try {
    if (failed === null && after !== undefined && !isStdoutClosed()) await after()
    await done()
    return failed === null ? code : (await notPrinted(failed, UNACKNOWLEDGED)) || code
  } catch (error) {
    await write(2, `error: not acknowledged: ${(error as Error).message}\n`)
    return 1
  }
}

/** True if the command goes to the link, provided that one may run. */
const isForLink = ({ argv }: Ask): boolean => {
  try {
    const { verb, has } = readArgs(argv)
    return (
      verb !== null &&
      verb.own !== true &&
      (verb.linkless !== true || has.has('set')) &&
      !has.has('help')
    )
  } catch {
    return false // the answer is what is wrong with it
  }
}

/** The home of a command line for a link; null: it is not for a link, or the home has an error to be answered. */
const homeFor = (ask: Ask): string | null => {
  try {
    return isForLink(ask) ? homeOf(ask.env.CLAWLINK_HOME, ask.cwd) : null
  } catch {
    return null
  }
}

/**
 * Gives the command line to a link, starting one if need be, and to the next one should that end before it answered;
 * where there can be none, carries it out here.
 */
const run = async (ask: Ask): Promise<number> => {
  const home = homeFor(ask)
  if (home === null) return runAlone(ask)
  becomeSudoUser(home)
  const foreign = foreignLink(home, socketOf(home))
  if (foreign !== null) return runAlone(ask, foreign)
  const socket = ask.env.CLAWLINK_LINK === 'off' ? null : socketOf(home)
  for (let lost = 0; socket !== null && lost < MAX_LOST; ) {
    const began = performance.now()
    const ended = await sendCommand(socket, ask)
    if (typeof ended === 'number') return ended
    if (ended === 'again') {
      lost = performance.now() - began > SETTLED_MS ? 1 : lost + 1
      await sleep(20 * 2 ** lost)
    } else if (!(await startLink(home, socket, __filename))) break
  }
  return runAlone(ask)
}

/** A link that serves MCP, started if need be; null: there can be none. `again`: after one was lost. */
export const openMcp = async (ask: Ask, again: boolean): Promise<Opened | null> => {
  const home = homeOf(ask.env.CLAWLINK_HOME, ask.cwd)
  becomeSudoUser(home)
  const socket = ask.env.CLAWLINK_LINK === 'off' ? null : socketOf(home)
  if (socket === null || foreignLink(home, socket) !== null) return null
  for (let lost = 0; lost < MAX_LOST; ) {
    const opened = await joinMcp(socket, ask, again)
    if (opened !== 'again' && opened !== 'absent') return opened
    if (opened === 'again') await sleep(20 * 2 ** ++lost)
    else if (!(await startLink(home, socket, __filename))) return null
  }
  return null
}

/** Serves MCP on stdin and stdout: by a link, or in this process where there can be none. */
const runMcp = async (ask: Ask): Promise<number> => {
  const opened = await openMcp(ask, false)
  if (opened !== null) return pipe(opened, () => openMcp(ask, true))
  const { signal } = new AbortController()
  const log = (line: string): void => void write(2, `${line}\n`)
  await program.serveMcp({ stream: stdio(), ask, host: inProcess, leaving: signal, log })
  return 0
}

/** Runs the commands that the shim passes on. */
export const main = async (ask: Ask): Promise<void> =>
  process.exit(isMcp(ask.argv) ? await runMcp(ask) : await run(ask))

redirectConsole(console.error)
// Node 22 and later.
;(module as { enableCompileCache?: () => void }).enableCompileCache?.()

if (process.argv[2] === '--link') void serve(program).then((code) => process.exit(code))
