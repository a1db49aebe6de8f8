import { DEFAULT_SERVER } from '../../client/http/target.ts'

/**
 * The events of this profile that an OpenClaw automation listens for, and the agent that they wake.
 */
export interface OpenclawListener {
  /** OpenClaw's key of the automation. */
  key: string
  /**
   * Argument vector of the process that OpenClaw keeps running: each hint in its output wakes the
   * agent.
   */
  command: readonly string[]
  session: SessionKind
  /** OpenClaw's id of the agent; undefined: its default one. */
  agent: string | undefined
}

/** `main`: the agent's own conversation, where it knows what it asked for; `isolated`: a fresh one each time. */
export const SESSIONS = ['main', 'isolated'] as const
export type SessionKind = (typeof SESSIONS)[number]

/** Prompt of the woken agent; OpenClaw appends the line of the hint. */
export const WAKE_TEXT =
  'ClawLink has something for you; the line below says what. Run `clawlink-agent poll`, do what came in as the clawlink skill says, and poll again until nothing is new. If it is what your user waits for, tell them.'

/** `watch` prints errors to stderr, which OpenClaw reads as well. */
const HINT_LINE = '^\\{"type":"hint"'

/** One automation per profile. */
export const keyOf = (profile: string): string =>
  profile === 'default' ? 'clawlink' : `clawlink-${profile}`

export interface Where {
  /** Absolute paths: a gateway that runs as a service has a PATH of its own. */
  node: string
  script: string
  profile: string
  server: string
  workspace: string
  /** Settings stored in the profile. */
  known: { server?: string; workspace?: string }
  /** The caller's variables. */
  env: Readonly<Record<string, string | undefined>>
  /** The types of message that wake, `a,b`; undefined: all. */
  types: string | undefined
}

/** Variables that the listener needs to find the same profile. */
const PASSED_ON = ['CLAWLINK_HOME', 'CLAWLINK_CA'] as const

/** The listener's command line, with every variable that the gateway's environment lacks. */
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

/** The message types in a listener's command line. */
export const typesOf = (command: readonly string[]): string | undefined =>
  command.includes('--type') ? command[command.indexOf('--type') + 1] : undefined

/** `openclaw cron add …`: creates the automation, or changes the one with its key. */
export const addArgs = ({ key, command, session, agent }: OpenclawListener): string[] => [
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

/** The automation with that key in the output of `cron list`. */
export const findJob = (list: unknown, key: string): Job | null =>
  (list as { jobs?: Job[] } | null)?.jobs?.find((job) => job.declarationKey === key) ?? null

/** The parts of a listener's command line: variables, Node and the program, and arguments. */
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
 * True if the automation listens like `command`, with programs that exist. The Node in it may
 * differ: a person and an agent may call with different ones.
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

/** True if the automation must be created anew: OpenClaw cannot change its session. */
export const mustReplace = (job: Job, { session }: OpenclawListener): boolean =>
  job.sessionTarget !== session

/** True if it was stopped, by hand or after too many failures; `add` does not restart it. */
export const mustEnable = ({ enabled, state }: Job): boolean =>
  !enabled || state?.streamStatus === 'error'

/**
 * True if OpenClaw rejected the request because it keeps no commands running: switched off, or too
 * old.
 */
export const isStreamless = (message: string): boolean =>
  /stream schedules are disabled|(recogni[sz]e|unknown) option "?'?--(stream|declaration)/i.test(
    message,
  )
