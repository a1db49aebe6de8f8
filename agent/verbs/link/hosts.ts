import { realpathSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { ClawError } from '../../../protocol/errors.ts'
import type { Call, Outcome, Verb } from '../../command/call.ts'
import { oneLine } from '../../command/text.ts'
import { evidenceOf, hostOf } from '../../hosts/hosts.ts'
import { install, installState, uninstall } from '../../hosts/install.ts'
import { pinsOf } from '../../hosts/launcher.ts'
import { type Layout, layoutOf } from '../../hosts/layout.ts'
import { HOSTS, type HostName } from '../../hosts/names.ts'
import { ring, turnAt } from '../../waking/bell.ts'
import { type Lease, leaseOf } from '../../waking/lease.ts'
import {
  install as addAutomation,
  uninstall as removeAutomation,
  status as showAutomation,
} from './openclaw.ts'

/** Connects hosts with this profile, undoes that, or shows the state. */
export const hosts: Verb = (call) => {
  const action = call.oneOf('action', ['install', 'status', 'uninstall'])
  if (action === 'status') return status(call)
  return action === 'install' ? installAll(call) : uninstallAll(call)
}

/** The caller's variables: this verb runs in the caller's own process. */
const environment = process.env

/** This program's file; a name in PATH is a link to it. */
const script = (): string => realpathSync(process.argv[1]!)

const layout = (call: Call, name: HostName): Layout => {
  const { env } = call.request
  const isServerGiven = call.flag('relay') !== undefined || Boolean(env.CLAWLINK_SERVER)
  const server = isServerGiven ? call.target.base : undefined
  const pins = pinsOf(environment, { profile: call.profile.name, server }, (path) =>
    call.resolve(path),
  )
  const dir = join(dirname(script()), '..')
  const version = process.env.CLAWLINK_VERSION ?? 'unknown'
  return layoutOf(
    name,
    environment,
    { dir, version },
    { node: process.execPath, script: script(), pins },
  )
}

/** The hosts that the command line names; undefined: all. */
const namedHosts = (call: Call): HostName[] | undefined =>
  call.has('host') ? HOSTS.filter((name) => call.list('host').includes(name)) : undefined

const isHere = (name: HostName): boolean => evidenceOf(hostOf(name), environment) !== null

interface Done {
  host: HostName
  lines: string[]
  data: { [key: string]: unknown }
}

/**
 * Runs `work` for each host; a host that fails does not stop the others. Throws the first error, with the results of
 * the others.
 */
const forEach = async (
  call: Call,
  names: readonly HostName[],
  act: (name: HostName) => Promise<Omit<Done, 'host'>>,
): Promise<Outcome> => {
  const done: Done[] = []
  const failed: { host: HostName; error: ClawError }[] = []
  const isDry = call.has('dry-run')
  for (const host of names) {
    try {
      done.push({ host, ...(await act(host)) })
    } catch (error) {
      failed.push({ host, error: ClawError.from(error) })
    }
  }
  const lines = [
    ...done.flatMap((one) => one.lines),
    ...(isDry ? ['nothing was done: --dry-run'] : []),
  ].map(oneLine)
  const [first] = failed
  if (first === undefined) {
    const data = { hosts: done.map(({ host, data }) => ({ host, ...data })) }
    return { data: { ...data, ...(isDry && { dry_run: true }) }, lines }
  }
  const said = failed.map(({ host, error }) => `${host}: ${error.message}`)
  if (!call.has('json')) await call.request.print(lines.map((line) => `${line}\n`).join(''))
  else if (done.length > 0) said.push(`done: ${done.map(({ host }) => host).join(', ')}`)
  throw new ClawError(first.error.code, said.join('; '), first.error.hint)
}

const askForHost = (verb: string): ClawError => {
  const here = HOSTS.filter(isHere)
  return new ClawError(
    'usage',
    'no host given',
    `clawlink-agent hosts ${verb} --all, or one of: ${(here.length > 0 ? here : HOSTS).join(', ')}`,
  )
}

const missing = (name: HostName): ClawError => {
  const { title, binaries, settings } = hostOf(name)
  const where = `neither ${binaries.join(' nor ')} in PATH nor ${settings(environment)}`
  return new ClawError('host_missing', `${title} is not here: ${where}`, 'install it first')
}

const installAll = async (call: Call): Promise<Outcome> => {
  const named = namedHosts(call)
  if (named === undefined && !call.has('all')) throw askForHost('install')
  const names = named ?? HOSTS.filter(isHere)
  if (names.length === 0)
    throw new ClawError('host_missing', 'no host is on this machine', `one of: ${HOSTS.join(', ')}`)
  if (/[\\/]_npx[\\/]/.test(script()))
    call.notes.push('this program is in npx’s cache, which npm empties: npm install -g clawlink')
  if (call.profile.state.agent_id === undefined)
    call.notes.push('this profile is not registered yet: clawlink-agent register --name NAME')
  return forEach(call, names, (name) => installOne(call, name))
}

const installOne = async (call: Call, name: HostName): Promise<Omit<Done, 'host'>> => {
  if (!isHere(name)) throw missing(name)
  const isDry = call.has('dry-run')
  const place = layout(call, name)
  const { what, paths } = install(place, process.env.CLAWLINK_VERSION ?? 'unknown', isDry)
  const shown = isDry ? paths.map((path) => `${name}: would write ${path}`) : []
  const line = `${name}: ${what === 'unchanged' ? 'as it was' : isDry ? `would be ${what}` : what}`
  if (name !== 'openclaw') return { lines: [...shown, line], data: { what, paths } }
  try {
    const automation = await addAutomation(call)
    return {
      lines: [...shown, line, ...(isDry ? [] : automation.lines)],
      data: { what, paths, automation: automation.data },
    }
  } catch (error) {
    if (what === 'installed' && !isDry) uninstall(place, false)
    throw error
  }
}

const uninstallAll = async (call: Call): Promise<Outcome> => {
  const named = namedHosts(call)
  if (named === undefined && !call.has('all')) throw askForHost('uninstall')
  return forEach(call, named ?? HOSTS, (name) => uninstallOne(call, name))
}

const uninstallOne = async (call: Call, name: HostName): Promise<Omit<Done, 'host'>> => {
  const isDry = call.has('dry-run')
  const place = layout(call, name)
  const isInstalled = installState(place) !== null
  const automation = name === 'openclaw' && isInstalled ? await withoutAutomation(call) : []
  const { paths, left } = uninstall(place, isDry)
  const what = paths.length === 0 ? 'nothing is installed' : isDry ? 'would be removed' : 'removed'
  const shown = isDry ? paths.map((path) => `${name}: would remove or restore ${path}`) : []
  const kept = left.map((path) => `${name}: kept ${path}, which is not as it was installed`)
  return {
    lines: [...automation, ...shown, ...kept, `${name}: ${what}`],
    data: { removed: paths, kept: left },
  }
}

/** Removes the automation, if OpenClaw is still there. */
const withoutAutomation = async (call: Call): Promise<readonly string[]> => {
  try {
    const { lines } = await removeAutomation(call)
    return call.has('dry-run') ? [] : lines
  } catch (error) {
    if (error instanceof ClawError && error.code === 'openclaw_missing') return []
    throw error
  }
}

const status = async (call: Call): Promise<Outcome> => {
  const names = namedHosts(call) ?? HOSTS
  const lease = leaseOf(call.profile.dir)
  const isNamed = names.some((name) => name === lease?.host)
  if (call.has('ring') && !isNamed)
    throw new ClawError(
      'timeout',
      `no session of ${names.join(', ')} works as profile "${call.profile.name}"`,
      'start one in a host that `hosts install` has connected, then ring again',
    )
  return forEach(call, names, (name) => statusOne(call, name, lease?.host === name ? lease : null))
}

const RING_S = 60

/** The session that works as this profile; with `--ring` the time until its turn began. Throws `timeout`. */
const sessionOf = async (call: Call, name: HostName, { pid, id }: Lease) => {
  const { title, wake } = hostOf(name)
  const { dir } = call.profile
  const last = turnAt(dir)
  const session = { pid, id, last_turn: last === 0 ? null : new Date(last).toISOString() }
  const line = `  session: process ${pid}, last turn: ${session.last_turn ?? 'none'}`
  if (!call.has('ring') || wake === null) return { lines: [line], data: { session } }
  const seconds = call.number('timeout') ?? RING_S
  const turnMs = await ring(dir, seconds * 1_000, call.request.signal)
  if (turnMs !== null) {
    const rang = `  rang: a turn was seen after ${(turnMs / 1_000).toFixed(1)} s`
    return { lines: [line, rang], data: { session, turn_ms: turnMs } }
  }
  throw new ClawError(
    'timeout',
    `${title} (process ${pid}) began no turn within ${seconds} s`,
    'its session must be interactive, in a trusted folder, and begun after the installation',
  )
}

const statusOne = async (
  call: Call,
  name: HostName,
  lease: Lease | null,
): Promise<Omit<Done, 'host'>> => {
  const host = hostOf(name)
  const found = evidenceOf(host, environment)
  const state = installState(layout(call, name))
  const wake = host.wake === null ? 'only injects: it cannot be woken' : `wakes by ${host.wake}`
  const data = {
    found,
    installed: state?.version ?? null,
    intact: state === null ? null : isIntact(state),
    changed: state?.changed ?? [],
    missing: state?.missing ?? [],
    wakes: host.wake !== null,
    wake: host.wake,
  }
  const again = `clawlink-agent hosts install ${name}`
  if (state === null) {
    const how = found === null ? 'not on this machine' : `not installed: ${again}`
    return { lines: [`${name}: ${how}`], data }
  }
  const version = `${name}: ${state.version}`
  const lines = [`${version}, ${isIntact(state) ? 'intact' : 'not intact'}; ${wake}`]
  lines.push(...state.changed.map((path) => `  changed: ${path}`))
  lines.push(...state.missing.map((path) => `  missing: ${path}`))
  if (!state.isConfigured) lines.push('  the host’s settings do not name it')
  if (!isIntact(state)) lines.push(`  to set it right: ${again}`)
  if (name === 'openclaw') {
    const automation = await showAutomation(call)
    return {
      lines: [...lines, ...automation.lines.map((line) => `  ${line}`)],
      data: { ...data, automation: automation.data },
    }
  }
  if (lease === null) return { lines, data: { ...data, session: null } }
  const session = await sessionOf(call, name, lease)
  return { lines: [...lines, ...session.lines], data: { ...data, ...session.data } }
}

const isIntact = (state: NonNullable<ReturnType<typeof installState>>): boolean =>
  state.changed.length === 0 && state.missing.length === 0 && state.isConfigured
