import type { ErrorBody } from '../../../protocol/errors.ts'
import type { CommandLine } from './command-lines.ts'

/** The output of a command, as the CLI prints it on stdout and on stderr. `error`: the reason of a failure. */
export interface Said {
  text: string
  notes: readonly string[]
  error: ErrorBody | null
}

/** The circumstances of a call. */
export interface Calling {
  /** The same for a call that is repeated after a link was lost: what it writes is written once. */
  key: string
  /** Milliseconds since the epoch. */
  at: number
  signal: AbortSignal
}

/** The messages that an inbox call gave. `acknowledge` is called once the client has gone on with them. */
export interface Received extends Said {
  acknowledge: () => Promise<void>
}

/**
 * The check of a command that may approve a result in the name of a person, whose profile this is. `free`: it does
 * not, so the server decides. `ask`: the person has to be asked; `revision` changes with each result, and an approval
 * is for the one that was shown.
 */
export type Approval =
  | { kind: 'free' }
  | { kind: 'ask'; revision: number; question: string }
  | { kind: 'refused'; error: ErrorBody }

/** An entry of `resources/list`. */
export interface Listed {
  uri: string
  name: string
  mimeType: string
  size?: number
}

/** The profile of a client in its workspace. No method throws or rejects: errors are part of the answers. */
export interface Team {
  version: string
  /** Interval of progress notifications, in milliseconds. */
  progressMs: number
  /** A key for a call: the same for the same id of the same client. */
  keyOf: (id: string | number) => string
  run: (line: CommandLine, calling: Calling) => Promise<Said>
  /** Waits for messages for at most `seconds`. */
  receive: (seconds: number, calling: Calling) => Promise<Received>
  /** Called before `approve` and before `done`, which approves too where a result waits for this profile. */
  approvalOf: (task: string, does: 'approve' | 'done', calling: Calling) => Promise<Approval>
  /** Open tasks and shared files; empty where the workspace cannot be read. */
  list: () => Promise<Listed[]>
  /** Resolves when the document may have changed, or at the abort. */
  changed: (signal: AbortSignal) => Promise<void>
  /** A text that changes with what each of these URIs shows. */
  marksOf: (uris: readonly string[]) => Promise<Map<string, string>>
  /** Writes a line into the link's log. */
  log: (line: string) => void
}
