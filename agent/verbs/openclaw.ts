import { existsSync } from 'node:fs'
import { ClawError } from '../../workspace/errors.ts'
import { didYouMean } from '../../workspace/suggest.ts'
import type { Call, Outcome, Verb } from '../call.ts'
import { hookOf, hookUrl, setHook, tryHook } from '../openclaw/hook.ts'
import {
  addArgs,
  enableArgs,
  findJob,
  isCurrent,
  isStreamless,
  type Job,
  keyOf,
  type Listener,
  listArgs,
  mustEnable,
  mustReplace,
  removeArgs,
  SESSIONS,
  type Session,
  typesOf,
  watchCommand,
} from '../openclaw/listener.ts'
import { openclaw as run } from '../openclaw/run.ts'
import { oneLine } from '../text.ts'
import { readFilter } from '../waiting.ts'

/** Has OpenClaw wake its agent for this profile, takes that back, or tells how it is. */
export const openclaw: Verb = async (call) => {
  const action = call.flag('action')!
  if (action === 'install') return install(call)
  if (action === 'status') return status(call)
  if (action === 'uninstall') return uninstall(call)
  const actions = ['install', 'status', 'uninstall']
  const near = didYouMean(action, actions) || `one of: ${actions.join(', ')}`
  throw new ClawError('usage', `openclaw does not know "${action}"`, near)
}

const HOOK_OFF = ['clawlink-agent', 'up', '--hook', 'off']

const sessionOf = (call: Call): Session => {
  const session = call.flag('session') ?? 'main'
  if (SESSIONS.some((one) => one === session)) return session as Session
  throw new ClawError('usage', `"${session}" is no session`, `one of: ${SESSIONS.join(', ')}`)
}

const commandOf = (call: Call, types: string | undefined): string[] => {
  const { profile, target, workspace, request } = call
  return watchCommand({
    ...{ node: process.execPath, script: process.argv[1]!, profile: profile.name },
    ...{ server: target.base, workspace, known: profile.state, env: { ...request.env } },
    types,
  })
}

const listenerOf = (call: Call): Listener => ({
  key: keyOf(call.profile.name),
  command: commandOf(call, call.flag('type')),
  session: sessionOf(call),
  agent: call.flag('agent'),
})

const jobOf = async (call: Call): Promise<Job | null> =>
  findJob(await run(listArgs), keyOf(call.profile.name))

/** Shows a step before it is done, so that who reads along knows what a step was that did not end. */
const announce = async (call: Call, args: readonly string[], steps: string[]): Promise<void> => {
  const line = args.map(quoted).join(' ')
  steps.push(line)
  if (!call.has('json')) await call.request.print(`${oneLine(line)}\n`)
}

const quoted = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`

const install = async (call: Call): Promise<Outcome> => {
  call.me()
  readFilter(call) // refuses types that are none
  const isDry = call.has('dry-run')
  const steps: string[] = []
  const act = async (args: readonly string[]): Promise<unknown> => {
    await announce(call, ['openclaw', ...args], steps)
    return isDry ? null : run(args)
  }
  const done = (what: string, more: { [key: string]: unknown }): Outcome =>
    isDry
      ? { data: { steps, dry_run: true }, lines: ['nothing was done: --dry-run'] }
      : { data: { steps, ...more }, lines: [what] }

  const byHook = async (given: string | undefined): Promise<Outcome> => {
    const url = given ?? (await hookUrl())
    await announce(call, ['clawlink-agent', 'up', '--hook', url], steps)
    if (!isDry) {
      const token = call.request.env.CLAWLINK_HOOK_TOKEN
      if (!token) {
        throw new ClawError(
          'not_allowed',
          `${url} wants a token`,
          'set CLAWLINK_HOOK_TOKEN to hooks.token of openclaw.json',
        )
      }
      await tryHook(url, token)
      await setHook(call.profile, url)
    }
    return done(`${url} wakes the agent`, { listener: 'hook', hook: url })
  }

  const hook = call.flag('hook')
  if (hook !== undefined) return byHook(hook)
  const wanted = listenerOf(call)
  let job = await jobOf(call)
  // What works stays, so that installing again changes nothing.
  if (job !== null && isCurrent(job, wanted.command, existsSync)) {
    wanted.command = job.schedule.command!
  }
  if (job !== null && mustReplace(job, wanted)) {
    await act(removeArgs(job.id))
    job = null
  }
  let added: { created?: boolean; updated?: boolean; job: Job } | null
  try {
    added = (await act(addArgs(wanted))) as typeof added
  } catch (error) {
    if (!(error instanceof ClawError) || !isStreamless(error.message)) throw error
    call.notes.push(error.message)
    return byHook(undefined)
  }
  if (job !== null && mustEnable(job)) await act(enableArgs(job.id))
  // What was the way before would wake the agent a second time.
  if (hookOf(call.profile) !== null) {
    await announce(call, HOOK_OFF, steps)
    if (!isDry) await setHook(call.profile, null)
  }
  const what = added?.created ? 'added' : added?.updated ? 'changed' : 'as it was'
  return done(`automation ${wanted.key} ${added?.job.id}: ${what}`, {
    ...{ listener: 'stream', key: wanted.key, id: added?.job.id },
    ...{ created: added?.created === true, updated: added?.updated === true },
  })
}

const uninstall = async (call: Call): Promise<Outcome> => {
  const isDry = call.has('dry-run')
  const steps: string[] = []
  // First what needs no OpenClaw: it may be gone.
  if (hookOf(call.profile) !== null) {
    await announce(call, HOOK_OFF, steps)
    if (!isDry) await setHook(call.profile, null)
  }
  const job = await jobOf(call)
  if (job !== null) {
    const args = removeArgs(job.id)
    await announce(call, ['openclaw', ...args], steps)
    if (!isDry) await run(args)
  }
  const nothing = steps.length === 0
  const what = nothing ? 'nothing is installed' : isDry ? 'nothing was done: --dry-run' : 'removed'
  return { data: { steps, ...(isDry && { dry_run: true }) }, lines: [what] }
}

const status = async (call: Call): Promise<Outcome> => {
  const hook = hookOf(call.profile)
  const job = await jobOf(call)
  const again = 'clawlink-agent openclaw install'
  if (job === null) {
    return {
      data: { listener: hook === null ? null : 'hook', ...(hook !== null && { hook }) },
      lines: [hook === null ? `not installed: ${again}` : `${hook} wakes the agent`],
    }
  }
  const { id, enabled, sessionTarget: session, state = {} } = job
  const current = isCurrent(job, commandOf(call, typesOf(job.schedule.command ?? [])), existsSync)
  const last = state.lastRunAtMs === undefined ? null : new Date(state.lastRunAtMs).toISOString()
  const trouble = state.streamError ?? state.lastError ?? null
  const works = enabled && current && state.streamStatus === 'running'
  return {
    data: {
      ...{
        listener: 'stream',
        key: keyOf(call.profile.name),
        id,
        enabled,
        current,
        session,
        works,
      },
      ...{ stream_status: state.streamStatus ?? null, last_run_at: last },
      ...{ last_run_status: state.lastRunStatus ?? null, error: trouble },
    },
    lines: [
      `automation ${keyOf(call.profile.name)} ${id}: ${enabled ? (state.streamStatus ?? 'not started') : 'disabled'}`,
      last === null ? 'has woken nobody yet' : `last woke ${last}: ${state.lastRunStatus}`,
      ...(trouble === null ? [] : [`trouble: ${trouble}`]),
      ...(current ? [] : ['it listens for another place or program than this one']),
      ...(works ? [] : [`to set it right: ${again}`]),
    ].map(oneLine),
  }
}
