import {
  commandOf,
  isLiving,
  isSameProcess,
  type LivingProcess,
  lifeOf,
  living,
  parentOf,
} from '../../lib/disk/process-life.ts'
import type { HookHost } from './names.ts'

export type Environment = Readonly<Record<string, string | undefined>>

/** One conversation of a host on this machine, as long as the host's process lives. */
export interface HostSession extends LivingProcess {
  host: string
  /** The host's name of the conversation; null if it does not tell. It may change while the process lives. */
  id: string | null
}

/** A host's name of a session is shown and stored: longer ones, or others than a word, are none. */
const SESSION_ID = /^[\w.:-]{1,128}$/

export const sessionId = (value: unknown): string | null =>
  typeof value === 'string' && SESSION_ID.test(value) ? value : null

/** Ancestors that are looked at (count). */
const MAX_ANCESTORS = 12

const SHELLS: ReadonlySet<string> = new Set(
  'sh bash dash zsh fish ksh ash busybox env timeout nice cmd.exe powershell.exe pwsh'.split(' '),
)

/** Programs that adopt, as process 1 does, those whose parent has ended: systemd does for all that a user runs. */
const REAPERS: ReadonlySet<string> = new Set('systemd init tini dumb-init launchd'.split(' '))

/** The names of the hosts' programs in a list of processes. */
const PROGRAMS: Readonly<Record<HookHost, RegExp>> = {
  'claude-code': /^claude(\.exe)?$/,
  codex: /^codex(\.js|\.exe|-x.*|-aarch.*)?$/,
  gemini: /^gemini(\.js|\.exe)?$/,
  cursor: /^(cursor|cursor-agent)(\.exe|\.AppImage)?$/i,
  opencode: /^opencode(\.exe)?$/,
}

const baseName = (word: string): string =>
  word.slice(Math.max(word.lastIndexOf('/'), word.lastIndexOf('\\')) + 1)

const isShell = (pid: number): boolean =>
  SHELLS.has(baseName(commandOf(pid)[0] ?? '').replace(/^-/, ''))

/** The process id of the host: the nearest ancestor with its name, else the nearest other than a shell; null: the host has ended. */
const ancestor = (host: HookHost): number | null => {
  let nearest: number | null = null
  let pid: number | null = process.ppid
  for (let i = 0; i < MAX_ANCESTORS && pid !== null && pid > 0; i++) {
    const [program = '', script = ''] = commandOf(pid)
    if ([program, script].some((word) => PROGRAMS[host].test(baseName(word)))) return pid
    // Process 1 adopts a program whose host has ended; in a container it may be the host.
    const isReaper = pid === 1 || REAPERS.has(baseName(program))
    if (nearest === null && !isReaper && !isShell(pid)) nearest = pid
    pid = parentOf(pid)
  }
  return nearest
}

/** The process ids that hosts tell the programs they run. */
const PID_VARIABLES = ['CLAWLINK_HOST_PID', 'CLAUDE_PID'] as const

/** The session that runs this process; null if its host has ended. `id`: the host's name of it, where a hook was told. */
export const hostSession = (
  host: HookHost,
  env: Environment,
  id: string | null,
): HostSession | null => {
  const own = id ?? sessionId(env.CLAWLINK_SESSION) ?? sessionId(env.CLAUDE_CODE_SESSION_ID)
  for (const name of PID_VARIABLES) {
    const pid = Number(env[name])
    if (Number.isSafeInteger(pid) && pid > 1 && lifeOf(pid) !== null) {
      return { host, id: own, ...living(pid) }
    }
  }
  const pid = ancestor(host)
  return pid === null ? null : { host, id: own, ...living(pid) }
}

/** True for two names of one session: of one process, as a host may rename a session. */
export const isSameSession = (a: HostSession, b: HostSession): boolean => isSameProcess(a, b)

export const isOver = (session: HostSession): boolean => !isLiving(session)
