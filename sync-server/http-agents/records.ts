import type { Json } from '../../workspace/document/schema.ts'
import type { Message } from '../../workspace/messages/message.ts'
import type { Op } from '../storage/integrity/level-keys.ts'
import { seqKey, seqOf } from '../storage/integrity/level-keys.ts'

/**
 * What the server holds for HTTP agents: agents whose replica is the server's own document. Keys, their values JSON:
 *   `g:<workspace>/<agent>/s`          how far its inbox has got, and how it writes: State
 *   `g:<workspace>/<agent>/m:<number>` a message that it has not acknowledged
 *   `g:<workspace>/<agent>/b:<path>`   what it has in its hands of a file: Base
 *   `g:<workspace>/<agent>/k:<key>`    what was answered under an idempotency key: Answered
 *   `g:<workspace>/@<token>/b:<path>`  the versions of a file that were handed out to a token, not to whom: Handed
 */
export interface State {
  /** The Yjs client id that the server writes under for it, and for nobody else; null: it takes a new one. */
  client: number | null
  /** Null: its inbox has not begun. `vector` is base64. */
  cursor: { vector: string; archived: number; archivedTasks: number } | null
  /** Number of the next message. */
  next: number
  /** Small things that are remembered by name: workspace/inbox/mailbox.ts. */
  records: { [name: string]: Json }
  /** What was staged before its turn, and the cursor does not cover yet: workspace/inbox/inbox.ts, `Fresh`. Absent: nothing. */
  ahead?: string[]
}

/** The content is that of the kept version, unless it was put and something else came of it. */
export interface Base {
  /** Of the content, for good: the path may come to lead to another. */
  fileId: string
  version: number
  content?: string
  /** Where the content is kept: the version that came of its put. */
  result?: number
}

export interface Handed {
  fileId: string
  /** The oldest first. */
  versions: number[]
}

export interface Answered {
  digest: string
  answer: object
  /** Milliseconds since the epoch. */
  at: number
}

export const NEW_STATE: State = { client: null, cursor: null, next: 1, records: {} }

const utf8 = new TextEncoder()

/** The records of one HTTP agent, or one token (`@<id>`). */
export class KeySpace {
  readonly #prefix: string

  constructor(workspace: string, whose: string) {
    this.#prefix = `g:${workspace}/${whose}/`
  }

  /** How all of its keys begin. */
  get all(): string {
    return this.#prefix
  }
  readonly state = (): string => `${this.#prefix}s`
  readonly message = (number: number): string => seqKey(`${this.#prefix}m`, number)
  readonly base = (path: string): string => `${this.#prefix}b:${path}`
  readonly answer = (key: string): string => `${this.#prefix}k:${key}`
  get messages(): string {
    return `${this.#prefix}m:`
  }
  get answers(): string {
    return `${this.#prefix}k:`
  }
}

export const put = (key: string, value: State | Base | Handed | Answered | Message): Op => ({
  type: 'put',
  key,
  value: utf8.encode(JSON.stringify(value)),
})
export const del = (key: string): Op => ({ type: 'del', key })

/** The number of a message by its key. */
export const numberOf = seqOf

/** Whether a key is that of an HTTP agent's state. */
export const isState = (key: string): boolean => /^g:[^/]+\/[^/]+\/s$/.test(key)
