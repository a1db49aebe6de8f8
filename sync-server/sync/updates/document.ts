import * as Y from 'yjs'
import { type Credit, NOBODY } from '../../../lib/attribution/runs.ts'
import { hasDeleted, hasPending } from '../../../lib/yjs/internals.ts'
import { newDoc } from '../../../lib/yjs/new-doc.ts'
import { CLOSE, WireError } from '../../../protocol/frames.ts'
import { Unreadable } from '../../storage/integrity/corruption.ts'
import type { Stored } from '../../storage/update-log.ts'
import {
  type Admit,
  type Clocks,
  checkUpdate,
  type Decoded,
  hasNews,
  type Verdict,
} from './check.ts'
import { type Deletions, DeletionWatch } from './deletion-watch.ts'
import { faultIn } from './slices.ts'

/** Origin of the transactions that apply updates of the log or of a client. */
const REMOTE = Symbol('remote')

/**
 * Applies all updates in one transaction. False: one failed or left pending structs, so the
 * document must be discarded.
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

/** The document of stored updates. Throws Unreadable, naming `what`, if they cannot be applied. */
export const docOf = ({ checkpoint, tail }: Stored, what = 'the document'): Y.Doc => {
  const doc = newDoc()
  if (applyAll(doc, checkpoint === null ? tail : [checkpoint, ...tail])) return doc
  throw new Unreadable(`${what}: the stored updates cannot be applied`)
}

/**
 * Call if updates passed the check, but could not be applied together: rebuilds the stored document
 * and finds the bad ones. A sender's later updates after a bad one are dropped. `watch` gets the
 * document before the good ones are applied to it, one by one.
 */
export const salvage = async <E extends { from: number; update: Uint8Array }>(
  load: () => Promise<Stored>,
  entries: readonly E[],
  watch: (doc: Y.Doc) => void,
): Promise<{ doc: Y.Doc; good: E[]; bad: E[] }> => {
  let left = entries
  const bad: E[] = []
  for (;;) {
    const doc = docOf(await load())
    watch(doc)
    const at = left.findIndex(({ update }) => !applyAll(doc, [update]))
    if (at === -1) return { doc, good: [...left], bad }
    const broken = left[at]!
    bad.push(broken)
    left = left.filter(({ from }, i) => i < at || from !== broken.from)
    doc.destroy()
  }
}

/** An update that the server made, and for whom. */
export interface Own {
  update: Uint8Array
  credit: Credit
}

/** Stands for every room's document until it is built. */
const NO_DOC = newDoc()

/** A room's document, with the clocks of all accepted updates, applied or not. */
export class LiveDocument {
  #doc = NO_DOC
  #clocks: Clocks = new Map()
  #captured: Own[] = []
  readonly #deletions: DeletionWatch
  #watched: Y.Doc | null = null

  /** `keepsText`: whether deleted text in the root of this name is noted. */
  constructor(keepsText: (root: string) => boolean = () => false) {
    this.#deletions = new DeletionWatch(keepsText)
  }

  get doc(): Y.Doc {
    return this.#doc
  }

  /** Notes the deletions in a document from now on, until `adopt` replaces the present one by it. */
  watch(doc: Y.Doc): void {
    this.#watched = doc
    this.#deletions.follow(doc)
  }

  /** The deletions since the last call. */
  takeDeletions(): Deletions {
    return this.#deletions.take()
  }

  /** Replaces the document by `doc`; `client` is the Yjs client id to write under. */
  adopt(doc: Y.Doc, client: number): void {
    if (this.#watched !== doc) this.watch(doc)
    this.destroy()
    this.#doc = doc
    doc.clientID = client
    this.#clocks = Y.decodeStateVector(this.stateVector())
  }

  /** Accepted operations of a Yjs client id (count). */
  clockOf(client: number): number {
    return this.#clocks.get(client) ?? 0
  }

  /** True if an update adds no operation to the accepted ones, and what it deletes is deleted in the document. */
  has(decoded: Decoded): boolean {
    return !hasNews(decoded, this.#clocks) && hasDeleted(this.#doc, decoded.ds)
  }

  /**
   * Checks an update against all accepted ones, and accepts it if it is `ready`. Throws on
   * malformed bytes, and the errors of `admit`.
   */
  accept(update: Uint8Array, admit?: Admit): Verdict {
    try {
      return checkUpdate(update, this.#clocks, admit)
    } catch (error) {
      // This code and lib0 throw plain Errors with a readable message; a TypeError or RangeError of
      // the engine names its own code.
      if (error instanceof WireError || (error as Error).constructor === Error) throw error
      throw new WireError(CLOSE.malformed, faultIn(update))
    }
  }

  /** Like `applyAll`. `onMerged` gets all that they changed as one update; it is not called if they changed nothing. */
  apply(updates: readonly Uint8Array[], onMerged?: (update: Uint8Array) => void): boolean {
    if (onMerged === undefined) return applyAll(this.#doc, updates)
    this.#doc.on('update', onMerged)
    try {
      return applyAll(this.#doc, updates)
    } finally {
      this.#doc.off('update', onMerged)
    }
  }

  /**
   * Runs a change of the server under the Yjs client id `client`, or under the server's own, with
   * this credit. Returns the change's result or its error; `takeOwn` returns its updates. Throws if the document
   * itself fails.
   */
  run<T>(
    change: (doc: Y.Doc) => T,
    client?: number,
    credit: Credit = NOBODY,
  ): { value: T } | { error: unknown } {
    const doc = this.#doc
    const own = doc.clientID
    const capture = (update: Uint8Array): void => void this.#captured.push({ update, credit })
    // Listens only during the change: with a listener, Yjs encodes each client's update again.
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

  /** Returns and accepts the updates made by `run` since the last call. */
  takeOwn(): Own[] {
    const own = this.#captured
    this.#captured = []
    for (const { update } of own) this.accept(update)
    return own
  }

  stateVector(): Uint8Array {
    return Y.encodeStateVector(this.#doc)
  }

  /** The update that a replica with this state vector lacks; without one, the whole document. */
  missing(stateVector?: Uint8Array): Uint8Array {
    return Y.encodeStateAsUpdate(this.#doc, stateVector)
  }

  destroy(): void {
    if (this.#doc !== NO_DOC) this.#doc.destroy()
  }
}
