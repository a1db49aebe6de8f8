import type * as Y from 'yjs'
import { usedBytes } from '../../workspace/tasks/usage.ts'

/** The part of a document's limit that one agent's messages and tasks may take (a divisor). */
const SHARES = 8

/**
 * What each agent may still add of what only it, an admin or the server can free, so that nobody fills a document alone. It is
 * counted down, and again from the document once it is used up: archiving frees some of it.
 */
export class Share {
  readonly #doc: Y.Doc
  readonly #most: number
  readonly #spare = new Map<string, number>()

  /** `maxDocument`: bytes of the document. */
  constructor(doc: Y.Doc, maxDocument: number) {
    this.#doc = doc
    this.#most = Math.floor(maxDocument / SHARES)
  }

  /** Takes so many bytes of an agent's share; false: there are not as many left. */
  take(agent: string, bytes: number): boolean {
    let spare = this.#spare.get(agent) ?? -1
    if (spare < bytes) spare = this.#most - usedBytes(this.#doc, agent)
    const has = spare >= bytes
    this.#spare.set(agent, has ? spare - bytes : spare)
    return has
  }
}
