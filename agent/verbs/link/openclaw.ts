import { existsSync } from 'node:fs'
import { shellWord } from '../../../lib/text/quote.ts'
import { ClawError } from '../../../protocol/errors.ts'
import { WAKING_TYPES } from '../../../workspace/inbox/wakes.ts'
import type { Call, Outcome, Verb } from '../../command/call.ts'
import { oneLine } from '../../command/text.ts'
import { readFilter } from '../../command/waiting.ts'
import { hookOf, hookUrl, setHook, tryHook } from '../../openclaw/hook.ts'
import {
  addArgs,
  enableArgs,
  findJob,
  isCurrent,
  isStreamless,
  type Job,
  keyOf,
  listArgs,
  mustEnable,
  mustReplace,
  type OpenclawListener,
  removeArgs,
  SESSIONS,
  typesOf,
  watchCommand,
} from '../../openclaw/listener.ts'
import { runOpenclaw as run } from '../../openclaw/run.ts'

/** Makes OpenClaw wake its agent for this profile, undoes that, or shows its state. */
export const openclaw: Verb = (call) => {
  const action = call.oneOf('action', ['install', 'status', 'uninstall'])
  if (action === 'install') return install(call)
  return action === 'status' ? status(call) : uninstall(call)
}

const commandOf = (call: Call, types: string | undefined): string[] => {
  const { profile, target, workspace, request } = call
  const env: Record<string, string | undefined> = { ...request.env }
  if (env.CLAWLINK_CA) env.CLAWLINK_CA = call.resolve(env.CLAWLINK_CA)
  return watchCommand({
    ...{ node: process.execPath, script: process.argv[1]!, profile: profile.name },
    ...{ server: target.base, workspace, known: profile.state, env },
    types,
  })
}

const listenerOf = (call: Call, types: string | undefined): OpenclawListener => ({
  key: keyOf(call.profile.name),
  command: commandOf(call, types),
  session: call.oneOf('session', SESSIONS) ?? 'main',
  agent: call.flag('agent'),
})

const jobOf = async (call: Call): Promise<Job | null> =>
  findJob(await run(listArgs), keyOf(call.profile.name))

/**
 * Prints each step, then runs it, except with `--dry-run`: if a step hangs, its line is on the
 * screen.
 */
const stepsOf = (call: Call) => {
  const isDry = call.has('dry-run')
  const steps: string[] = []
  const show = async (args: readonly string[]): Promise<void> => {
    const line = args.map(shellWord).join(' ')
    steps.push(line)
    if (!call.has('json')) await call.request.print(`${oneLine(line)}\n`)
  }
  return {
    steps,
    /** null: the step is only shown. */
    openclaw: async (args: readonly string[]): Promise<unknown> => {
      await show(['openclaw', ...args])
      return isDry ? null : run(args)
    },
    hook: async (url: string | null): Promise<void> => {
      await show(['clawlink-agent', 'up', '--hook', url ?? 'off'])
      if (isDry) return
      if (url !== null) await tryHook(url, call.request.env.CLAWLINK_HOOK_TOKEN)
      await setHook(call.profile, url)
    },
    outcome: (what: string, data: Outcome['data'] = {}): Outcome =>
      isDry
        ? { data: { steps, dry_run: true }, lines: ['nothing was done: --dry-run'] }
        : { data: { steps, ...data }, lines: [what] },
  }
}

/** Sets up one of the two ways and removes the other: with both, the agent would be woken twice. */
export const install = async (call: Call): Promise<Outcome> => {
  const types = call.flag('type') ?? WAKING_TYPES.join(',')
  call.me()
  readFilter(call) // rejects unknown types
  const doing = stepsOf(call)
  const byHook = async (url: string, job: Job | null): Promise<Outcome> => {
    await doing.hook(url)
    if (job !== null) await doing.openclaw(removeArgs(job.id))
    return doing.outcome(`${url} wakes the agent`, { listener: 'hook', hook: url })
  }
  const given = call.flag('hook')
  // The gateway may run on another machine.
  if (given !== undefined) return byHook(given, await jobOf(call).catch(() => null))

  const wanted = listenerOf(call, types)
  const job = await jobOf(call)
  // A working job keeps its command, so that a second install changes nothing.
  if (job !== null && isCurrent(job, wanted.command, existsSync)) {
    wanted.command = job.schedule.command!
  }
  const replaces = job !== null && mustReplace(job, wanted)
  if (replaces) await doing.openclaw(removeArgs(job.id))
  let added: { created?: boolean; updated?: boolean; job: Job } | null
  try {
    added = (await doing.openclaw(addArgs(wanted))) as typeof added
  } catch (error) {
    if (!(error instanceof ClawError) || !isStreamless(error.message)) throw error
    call.notes.push(error.message)
    return byHook(await hookUrl(), replaces ? null : job)
  }
  if (job !== null && !replaces && mustEnable(job)) await doing.openclaw(enableArgs(job.id))
  if (hookOf(call.profile) !== null) await doing.hook(null)
  const { created = false, updated = false } = added ?? {}
  const { key } = wanted
  const what = created ? 'added' : updated ? 'changed' : 'as it was'
  const id = added?.job.id
  const data = { listener: 'stream', key, id, created, updated }
  return doing.outcome(`automation ${key} ${id}: ${what}`, data)
}

export const uninstall = async (call: Call): Promise<Outcome> => {
  const doing = stepsOf(call)
  // First what needs no OpenClaw: it may be gone.
  if (hookOf(call.profile) !== null) await doing.hook(null)
  const job = await jobOf(call)
  if (job !== null) await doing.openclaw(removeArgs(job.id))
  return doing.outcome(doing.steps.length === 0 ? 'nothing is installed' : 'removed')
}

export const status = async (call: Call): Promise<Outcome> => {
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
  const key = keyOf(call.profile.name)
  return {
    data: {
      ...{ listener: 'stream', key, id, enabled, current, session },
      ...{ stream_status: state.streamStatus ?? null, last_run_at: last },
      ...{ last_run_status: state.lastRunStatus ?? null, error: trouble },
    },
    lines: [
      `automation ${key} ${id}: ${enabled ? (state.streamStatus ?? 'not started') : 'disabled'}`,
      last === null ? 'has woken nobody yet' : `last woke ${last}: ${state.lastRunStatus}`,
      ...(trouble === null ? [] : [`trouble: ${trouble}`]),
      ...(current ? [] : ['it listens for another place or program than this one']),
      ...(current && !mustEnable(job) ? [] : [`to set it right: ${again}`]),
    ].map(oneLine),
  }
}
