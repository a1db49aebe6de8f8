import * as Y from 'yjs'
import { hasPending } from '../../../lib/yjs/internals.ts'
import { CLOSE, WireError } from '../../../protocol/frames.ts'
import { Unreadable } from '../../storage/integrity/corruption.ts'
import type { Stored } from '../../storage/update-log.ts'
import { type Admit, type Clocks, checkUpdate, type Verdict } from './check.ts'
import { faultIn } from './slices.ts'

/** Origin of the transactions that apply what came from the log or a client. */
const REMOTE = Symbol('remote')

/**
 * Applies all updates in one transaction. False: one could not be applied, or left something pending, and the
 * document is of no more use.
 */
export const applyAll = (doc: Y.Doc, updates: readonly Uint8Array[]): boolean => {
  try {
    doc.transact(() => {
      for (const update of updates) Y.applyUpdate(doc, update, REMOTE)
    }, REMOTE)
    return !hasPending(doc)
  } catch {
    return false
  }
}

/** The fold over what is stored. Throws Unreadable if that cannot be applied; `what` it is of. */
export const docOf = ({ checkpoint, tail }: Stored, what = 'the document'): Y.Doc => {
  const doc = new Y.Doc()
  if (applyAll(doc, checkpoint === null ? tail : [checkpoint, ...tail])) return doc
  throw new Unreadable(`${what}: the stored updates cannot be applied`)
}

/**
 * For when updates that passed the check could still not be applied together: starts over from what is stored and
 * finds out which. Nothing after a bad one is taken from the same sender.
 */
export const salvage = async <E extends { from: number; update: Uint8Array }>(
  load: () => Promise<Stored>,
  entries: readonly E[],
): Promise<{ doc: Y.Doc; good: E[]; bad: E[] }> => {
  const good: E[] = []
  const bad: E[] = []
  const rebuild = async (): Promise<Y.Doc> => {
    const stored = await load()
    return docOf({ ...stored, tail: [...stored.tail, ...good.map(({ update }) => update)] })
  }
  let doc = await rebuild()
  for (const entry of entries) {
    if (bad.some(({ from }) => from === entry.from)) continue
    if (applyAll(doc, [entry.update])) {
      good.push(entry)
    } else {
      bad.push(entry)
      doc = await rebuild()
    }
  }
  return { doc, good, bad }
}

/** A room's document, with the clocks of everything that was let in, applied or not. */
export class LiveDocument {
  #doc = new Y.Doc()
  #clocks: Clocks = new Map()
  #captured: Uint8Array[] = []

  get doc(): Y.Doc {
    return this.#doc
  }

  /** Takes `doc` in place of the document there was; `client` is the Yjs client id to write under. */
  adopt(doc: Y.Doc, client: number): void {
    this.#doc.destroy()
    this.#doc = doc
    doc.clientID = client
    this.#clocks = Y.decodeStateVector(this.stateVector())
  }

  /** How many operations of a Yjs client id were let in. */
  clockOf(client: number): number {
    return this.#clocks.get(client) ?? 0
  }

  /**
   * Checks an update against everything let in so far, and lets it in if it is `ready`. Throws on garbage, and what
   * `admit` throws.
   */
  letIn(update: Uint8Array, admit?: Admit): Verdict {
    try {
      return checkUpdate(update, this.#clocks, admit)
    } catch (error) {
      // What this code and lib0 refuse is an Error in words; an engine's is about its own code.
      if (error instanceof WireError || (error as Error).constructor === Error) throw error
      throw new WireError(CLOSE.malformed, faultIn(update))
    }
  }

  apply(updates: readonly Uint8Array[]): boolean {
    return applyAll(this.#doc, updates)
  }

  /**
   * Runs a change of the server's own, under the Yjs client id `client` or its own; `takeOwn` has the updates it made. What it
   * throws is an outcome, too. Throws where the document could not take it in.
   */
  run<T>(change: (doc: Y.Doc) => T, client?: number): { value: T } | { error: unknown } {
    const doc = this.#doc
    const own = doc.clientID
    const capture = (update: Uint8Array): void => void this.#captured.push(update)
    // Only for as long: with a listener there, Yjs encodes once more whatever clients send.
    doc.on('update', capture)
    doc.clientID = client ?? own
    try {
      return doc.transact(() => {
        try {
          return { value: change(doc) }
        } catch (error) {
          return { error }
        }
      })
    } finally {
      doc.clientID = own
      doc.off('update', capture)
    }
  }

  /** The updates made by `run` since the last call. */
  takeOwn(): Uint8Array[] {
    const updates = this.#captured
    this.#captured = []
    for (const update of updates) this.letIn(update)
    return updates
  }

  stateVector(): Uint8Array {
    return Y.encodeStateVector(this.#doc)
  }

  /** Everything that a replica with this state vector lacks; without one, everything. */
  missing(stateVector?: Uint8Array): Uint8Array {
    return Y.encodeStateAsUpdate(this.#doc, stateVector)
  }

  destroy(): void {
    this.#doc.destroy()
  }
}
