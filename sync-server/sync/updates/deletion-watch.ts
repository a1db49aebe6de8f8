import * as Y from 'yjs'
import type { DeletedText, IdRange } from '../../../lib/attribution/runs.ts'
import { deletedIn, isRootType, stringIn } from '../../../lib/yjs/internals.ts'
import { MAX_NOTED_UNITS } from '../../config/limits.ts'

/** Operations that were deleted, and the texts among them. */
export interface Deletions {
  ranges: readonly IdRange[]
  texts: readonly DeletedText[]
}

/** Notes the deletions in a document, as long as the deleted texts are there. */
export class DeletionWatch {
  readonly #keepsText: (root: string) => boolean
  #ranges: IdRange[] = []
  #texts: DeletedText[] = []
  #units = 0
  /** Names of roots whose text is kept; null: it is not. */
  #roots = new WeakMap<Y.AbstractType<unknown>, string | null>()

  constructor(keepsText: (root: string) => boolean) {
    this.#keepsText = keepsText
  }

  /** Follows this document from now on. */
  follow(doc: Y.Doc): void {
    this.take()
    this.#roots = new WeakMap()
    doc.on('afterTransaction', (transaction: Y.Transaction) => {
      const ranges = deletedIn(transaction, (item, from, end) => this.#note(item, from, end))
      for (const range of ranges) this.#ranges.push(range)
    })
  }

  /** The deletions since the last call. */
  take(): Deletions {
    if (this.#ranges.length === 0) return NONE
    const taken = { ranges: this.#ranges, texts: this.#texts }
    this.#ranges = []
    this.#texts = []
    this.#units = 0
    return taken
  }

  #note(item: Y.Item, from: number, end: number): void {
    const text = stringIn(item)
    const root = text === null ? null : this.#rootOf(item.parent)
    if (text === null || root === null || this.#units >= MAX_NOTED_UNITS) return
    const { client, clock } = item.id
    this.#units += end - from
    this.#texts.push({ root, client, clock: from, text: text.slice(from - clock, end - clock) })
  }

  #rootOf(parent: Y.Item['parent']): string | null {
    if (!(parent instanceof Y.AbstractType) || !isRootType(parent)) return null
    const known = this.#roots.get(parent)
    if (known !== undefined) return known
    const name = Y.findRootTypeKey(parent)
    const root = this.#keepsText(name) ? name : null
    this.#roots.set(parent, root)
    return root
  }
}

const NONE: Deletions = { ranges: [], texts: [] }
