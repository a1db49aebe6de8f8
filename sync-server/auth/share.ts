import type * as Y from 'yjs'
import { LazyMap } from '../../lib/lazy.ts'
import { usedBytes } from '../../workspace/tasks/usage.ts'

/** The part of a document's limit that one agent's messages and tasks may take (a divisor). */
const SHARES = 8

/**
 * The bytes that each agent may still add in messages and tasks, which only it, an admin or the server can remove; so
 * no agent fills a document alone. Counted down, and recounted from the document once used up: archiving frees some.
 */
export class Share {
  readonly #doc: Y.Doc
  readonly #most: number
  readonly #spare = new LazyMap<string, number>()

  /** `maxDocument`: bytes of the document. */
  constructor(doc: Y.Doc, maxDocument: number) {
    this.#doc = doc
    this.#most = Math.floor(maxDocument / SHARES)
  }

  /** Takes bytes from an agent's share; false: not enough are left. */
  take(agent: string, bytes: number): boolean {
    let spare = this.#spare.get(agent) ?? -1
    if (spare < bytes) spare = this.#most - usedBytes(this.#doc, agent)
    const has = spare >= bytes
    this.#spare.set(agent, has ? spare - bytes : spare)
    return has
  }
}
