import type { Duplex } from 'node:stream'
import type { Ask } from '../../client/resident/wire.ts'
import type { ClawError } from '../../protocol/errors.ts'
import type { Outcome, Request } from './call.ts'
import type { Runtime } from './runtime.ts'
import type { Args } from './verb.ts'

export interface Response {
  stdout: string
  stderr: string
  code: number
  /** Call it only once stdout has taken everything. */
  after?: () => Promise<void>
  /** Releases everything that the command still holds; call it at the end in any case. */
  done: () => Promise<void>
}

/** The result of a command line: the outcome of its verb or the error, and the lines for stderr. */
export interface Performed {
  outcome: Outcome | ClawError
  notes: readonly string[]
  /** Releases everything that the command still holds; does nothing after an error. */
  close: () => Promise<void>
}

/** A client of MCP: its stream, and the command line `mcp` that it was started by. */
export interface McpClient {
  stream: Duplex
  ask: Ask
  host: Runtime
  /** Aborts with `down` or `next` when this process leaves. */
  leaving: AbortSignal
  log: (line: string) => void
}

/** The program whose commands the link runs. main.ts composes it from the table of verbs. */
export interface AgentProgram {
  /** Reads a command line; throws `usage`. */
  read: (argv: readonly string[]) => Args
  /** Carries out one command line. Never throws: errors are part of the answer. */
  execute: (request: Request, host: Runtime) => Promise<Response>
  /** True for a command line that MCP is served for; others are answered. */
  isMcp: (argv: readonly string[]) => boolean
  /** Loads what `serveMcp` needs. */
  warmMcp: () => Promise<void>
  /** Serves an MCP client until it has gone. */
  serveMcp: (client: McpClient) => Promise<void>
}
