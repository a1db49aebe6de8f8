import type { Request } from './call.ts'
import type { Runtime } from './runtime.ts'
import type { Args } from './verb.ts'

export interface Response {
  stdout: string
  stderr: string
  code: number
  /** To be called once stdout has taken everything, and only then. */
  after?: () => Promise<void>
  /** To be called at the end, in any case: lets go of what the command still has. */
  done: () => Promise<void>
}

/** The program that the link runs commands of: composed in main.ts of the table of verbs. */
export interface AgentProgram {
  /** Reads a command line; throws `usage`. */
  read: (argv: readonly string[]) => Args
  /** Carries out one command line. Never throws: errors are part of the answer. */
  execute: (request: Request, host: Runtime) => Promise<Response>
}
