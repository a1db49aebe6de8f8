import type { Joining } from './attach-wire.ts'

/**
 * A command's messages to the link, one JSON line each: the request, and later `{"ack":true}` for
 * each line of the link that asks for it, once stdout has taken everything.
 */
export interface Ask {
  version: string
  argv: readonly string[]
  cwd: string
  /** The variables whose names begin with `CLAWLINK_`. */
  env: { [name: string]: string | undefined }
  /** base64; null where the command line does not ask for stdin. */
  stdin: string | null
  terminal: boolean
  /** True if stderr is a terminal. */
  progress?: boolean
  /** When the command began, milliseconds since the epoch: a wait that is begun again ends when it would have. */
  at: number
  /** The id of this command: its writes happen once, even if several links get it. */
  key: string
  /** Not a command: stay connected, and exchange the document and what is about it from here on (attach-wire.ts). */
  attach?: Joining
  /** Not a command: MCP, one message per line, from here on. `again`: after a link was lost, so any version will do. */
  mcp?: { again: boolean }
}

/** The variables that commands read; a host's own name of its session counts as ClawLink's. */
export const clawlinkEnv = (): Ask['env'] => {
  const { CLAUDE_CODE_SESSION_ID: claude, CODEX_THREAD_ID: codex } = process.env
  const env: Ask['env'] = {}
  if (claude || codex) env.CLAWLINK_SESSION = claude || codex
  for (const name in process.env) if (name.startsWith('CLAWLINK_')) env[name] = process.env[name]
  return env
}

/** Unlike any other of this home; `node:crypto` would take longer to load than the command takes. */
export const newKey = (at: number): string =>
  `${at.toString(36)}-${process.pid.toString(36)}-${Math.random().toString(36).slice(2)}`

/** The link's messages to a command, JSON lines. The line with `code` is the last. */
export interface Say {
  out?: string
  err?: string
  /** A line for stderr should Ctrl-C end the command from here on. */
  ifStopped?: string
  /** Wants to be told when stdout has taken everything. */
  ack?: true
  /** All is said but whether it is acknowledged: should the link go away from here on, it is not given again. */
  again?: false
  /** The link is leaving and has done nothing of this: give the command to the next one. */
  next?: true
  code?: number
  /** MCP may begin. */
  mcp?: true
}

/** Calls `onLine` with each line of what `write` is given. */
export const lineReader = (onLine: (line: string) => void) => {
  let parts: string[] = []
  return (chunk: string): void => {
    const lines = chunk.split('\n')
    for (const line of lines.slice(0, -1)) {
      onLine(parts.join('') + line)
      parts = []
    }
    parts.push(lines[lines.length - 1]!)
  }
}
