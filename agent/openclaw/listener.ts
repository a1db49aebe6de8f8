import { DEFAULT_SERVER } from '../../client/http/target.ts'

/** What of this profile an OpenClaw automation is to listen for, and which of its agents is woken. */
export interface Listener {
  /** By which OpenClaw knows the automation again. */
  key: string
  /** The argument vector that OpenClaw keeps running: each line of it that is a hint wakes the agent. */
  command: readonly string[]
  session: Session
  /** OpenClaw's id of the agent; undefined: its default one. */
  agent: string | undefined
}

/** `main`: the agent's own conversation, where it knows what it asked for; `isolated`: a fresh one each time. */
export const SESSIONS = ['main', 'isolated'] as const
export type Session = (typeof SESSIONS)[number]

/** What the woken agent is told; OpenClaw adds the line of the hint. */
export const WAKE_TEXT =
  'ClawLink has something for you; the line below says what. Run `clawlink-agent poll`, do what came in as the clawlink skill says, and poll again until nothing is new. If it is what your user waits for, tell them.'

/** `watch` prints its troubles on stderr, which OpenClaw reads, too. */
const HINT_LINE = '^\\{"type":"hint"'

/** One automation a profile. */
export const keyOf = (profile: string): string =>
  profile === 'default' ? 'clawlink' : `clawlink-${profile}`

export interface Where {
  /** Absolute paths: a gateway that runs as a service has a PATH of its own. */
  node: string
  script: string
  profile: string
  server: string
  workspace: string
  /** What the profile remembers. */
  known: { server?: string; workspace?: string }
  /** The caller's variables. */
  env: Readonly<Record<string, string | undefined>>
  /** The types of message that wake, `a,b`; undefined: all. */
  types: string | undefined
}

/** Variables without which the listener would look at another place. */
const PASSED_ON = ['CLAWLINK_HOME', 'CLAWLINK_CA'] as const

/** The listener's command line, with all in it that the gateway's environment does not have. */
export const watchCommand = (where: Where): string[] => {
  const { node, script, profile, server, workspace, known, env, types } = where
  const set = PASSED_ON.flatMap((name) => (env[name] ? [`${name}=${env[name]}`] : []))
  return [
    ...(set.length > 0 ? ['/usr/bin/env', ...set] : []),
    ...[node, script],
    ...(profile === 'default' ? [] : ['--as', profile]),
    ...(server === (known.server ?? DEFAULT_SERVER) ? [] : ['--relay', server]),
    ...(workspace === (known.workspace ?? 'default') ? [] : ['--workspace', workspace]),
    ...['watch', '--hints'],
    ...(types === undefined ? [] : ['--type', types]),
  ]
}

/** Which types of message a listener's command line is for. */
export const typesOf = (command: readonly string[]): string | undefined =>
  command.includes('--type') ? command[command.indexOf('--type') + 1] : undefined

/** `openclaw cron add …`: makes the automation, or changes the one with its key. */
export const addArgs = ({ key, command, session, agent }: Listener): string[] => [
  ...['cron', 'add', '--declaration-key', key, '--name', key],
  ...['--description', 'wakes the agent when something comes in by ClawLink'],
  ...['--stream-command', JSON.stringify(command)],
  ...['--stream-mode', 'match', '--stream-match', HINT_LINE],
  ...(session === 'main'
    ? ['--session', 'main', '--system-event', WAKE_TEXT]
    : ['--session', 'isolated', '--message', WAKE_TEXT, '--no-deliver']),
  ...(agent === undefined ? [] : ['--agent', agent]),
  '--json',
]

export const listArgs = ['cron', 'list', '--all', '--json'] as const
export const removeArgs = (id: string): string[] => ['cron', 'rm', id, '--json']
export const enableArgs = (id: string): string[] => ['cron', 'enable', id, '--json']

/** An automation as OpenClaw shows it. */
export interface Job {
  id: string
  declarationKey?: string
  enabled: boolean
  agentId?: string
  sessionTarget?: string
  schedule: { kind: string; command?: string[] }
  state?: {
    streamStatus?: string
    streamError?: string
    lastRunAtMs?: number
    lastRunStatus?: string
    lastError?: string
  }
}

/** The automation with that key in what `cron list` printed. */
export const findJob = (list: unknown, key: string): Job | null =>
  (list as { jobs?: Job[] } | null)?.jobs?.find((job) => job.declarationKey === key) ?? null

/** A listener's command line in its parts: the variables it is given, Node and the program, and what that is asked. */
const partsOf = (command: readonly string[]) => {
  const at =
    command[0] === '/usr/bin/env' ? command.findLastIndex((word) => /^\w+=/.test(word)) + 1 : 0
  return {
    given: command.slice(0, at),
    programs: command.slice(at, at + 2),
    asked: command.slice(at + 2),
  }
}

/**
 * Whether the automation listens where `command` would, with programs that are there: which of several Nodes calls
 * depends on who calls, a person or an agent.
 */
export const isCurrent = (
  { schedule }: Job,
  command: readonly string[],
  isThere: (path: string) => boolean,
): boolean => {
  const [has, wants] = [partsOf(schedule.command ?? []), partsOf(command)]
  const same = JSON.stringify([has.given, has.asked]) === JSON.stringify([wants.given, wants.asked])
  return same && has.programs.every(isThere)
}

/** Whether the automation must be made anew: OpenClaw changes none into one of another session. */
export const mustReplace = (job: Job, { session }: Listener): boolean =>
  job.sessionTarget !== session

/** Whether it has stopped, by hand or after too many failures: `add` leaves it as it is. */
export const mustEnable = ({ enabled, state }: Job): boolean =>
  !enabled || state?.streamStatus === 'error'

/** Whether OpenClaw has refused because it keeps no commands running: switched off, or too old to. */
export const isStreamless = (message: string): boolean =>
  /stream schedules are disabled|(recogni[sz]e|unknown) option "?'?--(stream|declaration)/i.test(
    message,
  )
