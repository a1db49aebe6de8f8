import type * as Y from 'yjs'
import type { MergeResult } from '../../lib/merge/edits.ts'
import type { ErrorCode } from '../../protocol/errors.ts'
import type { AgentId, TaskId } from '../../protocol/ids.ts'
import type { Role } from '../../protocol/roles.ts'
import type { Agent, Here } from '../agents/agents.ts'
import type { Mailbox, Talker } from '../inbox/mailbox.ts'
import type { RequestedChange } from '../tasks/task-change.ts'
import type { Task } from '../tasks/tasks.ts'
import type { Fields, InputOf } from './inputs/field.ts'

/** A write stages its records here: they reach the disk together with the change of the document, or not at all. */
export type Desk = Mailbox & Talker

/** A write that may be repeated: the actor has an idempotency key for it, or none. */
export interface Write {
  /** The input as given; it distinguishes this command from another under the same key. */
  payload: unknown
  /** True for a write that makes room: a full workspace accepts it, too. */
  frees?: (doc: Y.Doc) => boolean
  /** True for a write that adds a message or a task; those of one agent may fill only a share of the document. */
  isEntry?: boolean
}

/**
 * Merges two changes of one text. Where that takes long, it throws, and the work is run again with the merge at hand: work
 * that merges changes nothing before it.
 */
export type MergeTexts = (base: string, mine: string, theirs: string) => MergeResult

/** A task that an agent owns from now on, and how long its lease lasts while nobody sees the agent. */
export interface Granted {
  task: Task
  lease_seconds: number
}

/** An agent as actions see it: one with a replica of the document, or one without, for which the server acts. */
export interface Actor {
  readonly doc: Y.Doc
  /** Throws `not_registered`. */
  readonly agent: AgentId
  /** The same id, also before it is registered. */
  readonly id: AgentId
  /** The kind that its invite names; undefined: none. */
  readonly joinedAs: Agent['kind'] | undefined
  /** Milliseconds since the epoch, by the server's clock. */
  now(): number
  /** When the action was asked for: time spans count from here. The same clock. */
  readonly askedAt: number
  /** The connected agents; empty while the server cannot be reached. */
  readonly here: Here
  /** The same; undefined where nobody knows. */
  readonly known: Here | undefined
  /** Throws `unknown_task` for a task that is neither in the document nor archived. */
  checkTask(id: TaskId): Promise<void>
  /**
   * Runs `work` as one transaction, once under the actor's idempotency key: a repeat resolves to the first result. Throws
   * `key_reused`, `quota`, and what `work` throws.
   */
  once<T extends object>(write: Write, work: (desk: Desk, merge?: MergeTexts) => T): Promise<T>
  /**
   * Asks the server, the only writer of tasks, to change one, once per key. Resolves to the changed task, for a claim
   * to its grant. While the server is away, all but a claim is queued. Throws the server's error.
   */
  changeTask(id: string, change: RequestedChange): Promise<{ task: Task } | Granted>
  /** The same for the most urgent task that the agent can take. Throws `nothing_to_claim`. */
  claimNext(caps?: readonly string[]): Promise<Granted>
}

/** Errors that every action can have besides its own. */
export const COMMON_ERRORS: readonly ErrorCode[] = [
  'usage',
  'not_registered',
  'not_allowed',
  'key_reused',
  'quota',
]

/** Something that an agent can do by a verb, an HTTP route or a tool, with all of its rules. */
export interface Action<F extends Fields, R extends object, A extends Actor = Actor> {
  name: string
  /** The roles whose credentials are accepted. */
  roles: readonly Role[]
  /** Its own errors, besides COMMON_ERRORS. */
  errors: readonly ErrorCode[]
  input: F
  run: (actor: A, input: InputOf<F>) => Promise<R>
}

/** An action, its types found from its input. */
export const action = <F extends Fields, R extends object, A extends Actor = Actor>(
  one: Action<F, R, A>,
): Action<F, R, A> => one
