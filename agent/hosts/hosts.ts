import { accessSync, constants, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, isAbsolute, join } from 'node:path'
import type { HostName } from './names.ts'

export type Environment = Readonly<Record<string, string | undefined>>

/** A host, and where it keeps its settings. */
export interface Host {
  name: HostName
  title: string
  /** Its commands, any of which shows that it is here. */
  binaries: readonly string[]
  /** Its folder of settings, an absolute path. */
  settings: (env: Environment) => string
  /** The mechanism that starts a turn in an idle session; null: the host has none. */
  wake: string | null
}

const userHome = (env: Environment): string => env.HOME || homedir()

/** The folder that a variable names; a relative one is none, as it would depend on where a host is started. */
const named = (value: string | undefined): string | null =>
  value !== undefined && isAbsolute(value) ? value : null

const HOST_TABLE: readonly Host[] = [
  {
    name: 'claude-code',
    title: 'Claude Code',
    binaries: ['claude'],
    settings: (env) => named(env.CLAUDE_CONFIG_DIR) ?? join(userHome(env), '.claude'),
    wake: 'plugin monitor',
  },
  {
    name: 'codex',
    title: 'Codex',
    binaries: ['codex'],
    settings: (env) => named(env.CODEX_HOME) ?? join(userHome(env), '.codex'),
    wake: 'codex queue',
  },
  {
    name: 'opencode',
    title: 'opencode',
    binaries: ['opencode'],
    settings: (env) =>
      named(env.OPENCODE_CONFIG_DIR) ??
      join(named(env.XDG_CONFIG_HOME) ?? join(userHome(env), '.config'), 'opencode'),
    wake: 'plugin',
  },
  {
    name: 'openclaw',
    title: 'OpenClaw',
    binaries: ['openclaw'],
    settings: (env) =>
      named(env.OPENCLAW_STATE_DIR) ?? join(named(env.OPENCLAW_HOME) ?? userHome(env), '.openclaw'),
    wake: 'stream automation',
  },
  {
    name: 'gemini',
    title: 'Gemini CLI',
    binaries: ['gemini'],
    settings: (env) => join(named(env.GEMINI_CLI_HOME) ?? userHome(env), '.gemini'),
    wake: null,
  },
  {
    name: 'cursor',
    title: 'Cursor',
    binaries: ['cursor-agent', 'cursor'],
    settings: (env) => join(userHome(env), '.cursor'),
    wake: null,
  },
]

export const hostOf = (name: HostName): Host => HOST_TABLE.find((host) => host.name === name)!

/** The path of a program in PATH; null: there is none. */
export const findProgram = (name: string, { PATH = '' }: Environment): string | null => {
  for (const dir of PATH.split(delimiter).filter(isAbsolute)) {
    const path = join(dir, name)
    try {
      accessSync(path, constants.X_OK)
      if (statSync(path).isFile()) return path
    } catch {
      // It is not there, or not for this user.
    }
  }
  return null
}

/** The program or folder of settings that shows a host on this machine; null if there is none. */
export const evidenceOf = (host: Host, env: Environment): string | null => {
  for (const binary of host.binaries) {
    const path = findProgram(binary, env)
    if (path !== null) return path
  }
  const settings = host.settings(env)
  return statSync(settings, { throwIfNoEntry: false })?.isDirectory() ? settings : null
}
