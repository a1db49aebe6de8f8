import type { Json } from '../../workspace/document/schema.ts'
import type { Message } from '../../workspace/messages/message.ts'
import type { Op } from '../storage/integrity/level-keys.ts'
import { seqKey, seqOf } from '../storage/integrity/level-keys.ts'

/**
 * The server's records of HTTP agents, which work on the server's own document. Keys, their values JSON:
 *   `g:<workspace>/<agent>/s`          its inbox cursor and its Yjs client id: State
 *   `g:<workspace>/<agent>/m:<number>` a message that it has not acknowledged
 *   `g:<workspace>/<agent>/b:<path>`   the version of a file that it read or put last: Base
 *   `g:<workspace>/<agent>/k:<key>`    the answer under an idempotency key: Answered
 *   `g:<workspace>/~suggestions/e:<number>` a suggestion that has ended: workspace/suggestions/archive.ts
 *   `g:<workspace>/@<token>/b:<path>`  versions of a file read by a token without an agent id: Handed
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
  /**
   * Messages staged before their turn that the cursor does not cover yet: workspace/inbox/inbox.ts,
   * `Fresh`. Absent: none.
   */
  ahead?: string[]
}

/** The content is that of the kept version, unless it was put and something else came of it. */
export interface Base {
  /** Of the content, for good: the path may come to lead to another. */
  fileId: string
  version: number
  content?: string
  /** The version that keeps the content: the result of its put. */
  result?: number
  /** When it was read or put: milliseconds since the epoch. Absent in entries of before it was noted. */
  at?: number
}

export interface Handed {
  fileId: string
  /** The oldest first. */
  versions: number[]
}

export interface Answered {
  digest: string
  /** Of the digest: sync-server/http-agents/kept-answers.ts. Absent in entries of before there were forms. */
  form?: number
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

  /** The common prefix of its keys. */
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
/** The key of a suggestion that has ended. No agent has such an id. */
export const suggestionKey = (workspace: string, number: number): string =>
  seqKey(`g:${workspace}/~suggestions/e`, number)
export const putSuggestion = (key: string, value: object): Op => ({
  type: 'put',
  key,
  value: utf8.encode(JSON.stringify(value)),
})
export const del = (key: string): Op => ({ type: 'del', key })

/** The number of a message by its key. */
export const numberOf = seqOf

/** True for the key of an HTTP agent's state. */
export const isState = (key: string): boolean => /^g:[^/]+\/[^/]+\/s$/.test(key)
