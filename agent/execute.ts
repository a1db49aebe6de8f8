import { homeTrouble } from '../client/http/home.ts'
import { learnRole } from '../client/http/role.ts'
import { homeOf } from '../client/resident/socket.ts'
import { ClawError, type ErrorBody } from '../protocol/errors.ts'
import { redacted } from '../protocol/roles.ts'
import { isSystemError } from '../protocol/system-error.ts'
import { Call, type Outcome, type Request } from './command/call.ts'
import type { Performed, Response } from './command/program.ts'
import type { Runtime } from './command/runtime.ts'
import { forTerminal, oneLine, safeJson } from './command/text.ts'
import type { Args } from './command/verb.ts'
import { helpText, PROGRAM, readArgs } from './verb-table/args.ts'

/**
 * Until what poll printed is acknowledged no other command of the profile may hand it out, so it keeps the replica;
 * except with more output than the smallest pipe holds, whose reader may be waiting for such a command.
 */
const PIPE_BYTES = 16 * 1024

/** Carries out one command line, and prints nothing; again where the host has changed the role meanwhile. Never throws. */
export const perform = async (request: Request, host: Runtime): Promise<Performed> => {
  const first = await attempt(request, host)
  if (!(first.outcome instanceof ClawError) || first.outcome.code !== 'not_allowed') return first
  return (await hasNewRole(request, host)) ? attempt(request, host) : first
}

/** True if the profile's credential has another role than it knew. Its connections take it up. */
const hasNewRole = async (request: Request, host: Runtime): Promise<boolean> => {
  try {
    const call = new Call(request, readArgs(request.argv), host)
    if (!(await learnRole(call.access, call.target))) return false
    for (const { profile, handle } of host.link?.workspaces() ?? []) {
      if (profile === call.profile.dir) handle.session?.redial()
    }
    return true
  } catch {
    return false // the first answer stands
  }
}

const attempt = async (request: Request, host: Runtime): Promise<Performed> => {
  let call: Call | undefined
  try {
    const args = readArgs(request.argv)
    const answer = withoutVerb(args)
    if (answer !== null) return { outcome: answer, notes: [], close: async () => {} }
    const open = new Call(request, args, host)
    call = open
    const run = await args.verb!.load(PROGRAM)
    return { outcome: await run(call), notes: call.notes, close: () => open.close() }
  } catch (thrown) {
    const outcome = inHome(thrown, request)
    await call?.close().catch(() => {})
    return { outcome, notes: call?.notes ?? [], close: async () => {} }
  }
}

/** Carries out one command line. Never throws: errors are part of the answer. */
export const execute = async (request: Request, host: Runtime): Promise<Response> => {
  const json = request.argv.includes('--json')
  const { outcome, notes, close } = await perform(request, host)
  if (outcome instanceof ClawError) return failure(outcome, notes, request, json)
  const { after } = outcome
  try {
    const response = success(outcome, notes, request, json)
    if (after === undefined || response.stdout.length > PIPE_BYTES) await close()
    return after === undefined ? response : { ...response, after, done: close }
  } catch (thrown) {
    const error = inHome(thrown, request)
    await close().catch(() => {})
    return failure(error, notes, request, json)
  }
}

const withoutVerb = ({ verb, values, has }: Args): Outcome | null => {
  if (has.has('help')) {
    const lines = helpText(verb, has.has('all'))
    return { data: { help: lines.join('\n') }, lines }
  }
  if (has.has('version') && !values.has('version')) {
    const version = process.env.CLAWLINK_VERSION ?? 'unknown'
    return { data: { version }, lines: [version] }
  }
  if (verb !== null) return null
  throw new ClawError('usage', 'no verb given', 'run clawlink-agent --help')
}

const success = (
  { data, lines, content, isStream, notes = [] }: Outcome,
  said: readonly string[],
  { terminal }: Request,
  json: boolean,
): Response => {
  const text = content ?? lines.map((line) => `${line}\n`).join('')
  return {
    stdout: isStream
      ? ''
      : json
        ? `${safeJson({ ok: true, data })}\n`
        : terminal
          ? forTerminal(text)
          : text,
    stderr: words([...said, ...notes]),
    code: 0,
    done: async () => {},
  }
}

const failure = (
  error: ClawError,
  said: readonly string[],
  { env }: Request,
  json: boolean,
): Response => {
  const whole = error.toBody()
  // The message may contain the command line.
  const body: ErrorBody = { ...whole, message: redacted(whole.message) }
  const line = `error: ${body.message}${body.hint === '' ? '' : ` — ${body.hint}`}`
  const trace = error.code === 'bug' && env.CLAWLINK_DEBUG ? stackOf(error.cause) : []
  return {
    stdout: json ? `${safeJson({ ok: false, error: body })}\n` : '',
    stderr: words([...said, ...(json ? [] : [line]), ...trace]),
    code: error.exit,
    done: async () => {},
  }
}

/** The answer to a command line that is not carried out. */
export const refused = (error: ClawError, request: Request): Response =>
  failure(error, [], request, request.argv.includes('--json'))

/**
 * Returns an error, or the problem of the home if that is its cause: root owns files in it, or it cannot be written.
 */
const inHome = (thrown: unknown, { env, cwd }: Request): ClawError => {
  const error = ClawError.from(thrown)
  if (error.code !== 'data_unusable' && error.code !== 'cannot_write') return error
  try {
    const home = homeOf(env.CLAWLINK_HOME, cwd)
    return isAbout(error, home) ? (homeTrouble(home) ?? error) : error
  } catch {
    return error // the home does not exist
  }
}

/** True if the error's path is the folder, is inside it, or contains it. */
const isAbout = ({ message, hint, cause }: ClawError, home: string): boolean =>
  message.includes(home) ||
  hint.includes(home) ||
  (isSystemError(cause) && home.startsWith(`${cause.path}/`))

const stackOf = (cause: unknown): string[] =>
  cause instanceof Error ? (cause.stack ?? '').split('\n') : []

const words = (lines: readonly string[]): string =>
  lines.map((line) => `${oneLine(line)}\n`).join('')
