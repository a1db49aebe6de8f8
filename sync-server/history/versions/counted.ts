import type * as Y from 'yjs'
import { LazyMap } from '../../../lib/lazy.ts'
import { isRootType } from '../../../lib/yjs/internals.ts'
import type { FileId } from '../../../protocol/ids.ts'
import { countedFile } from '../../../workspace/files/file-state.ts'

/** Files of which change sets were counted, with the Yjs client ids (decimal) whose counts grew; null: unknown. */
export type Counted = Map<FileId, Set<string> | null>

export const addCounted = (to: Counted, id: FileId, clients: ReadonlySet<string> | null): void => {
  const known = to.get(id)
  if (clients === null || known === null) to.set(id, null)
  else to.set(id, new Set([...(known ?? []), ...clients]))
}

/**
 * Notes in which files of a document change sets are counted, as transactions bring them. A transaction that touches
 * no counter costs a look-up for each root type that it changed.
 */
export class CountedFiles {
  /** By root type; null: no file's counter. Yjs puts another object in a root's place when it is first asked for. */
  readonly #files = new WeakMap<object, FileId | null>()
  #counted: Counted = new LazyMap()

  constructor(doc: Y.Doc) {
    doc.on('afterTransaction', ({ changed }: Y.Transaction) => {
      for (const [type, keys] of changed) {
        if (!isRootType(type)) continue
        const id = this.#fileOf(type, doc)
        if (id === null) continue
        const clients = [...keys].filter((key) => key !== null)
        addCounted(this.#counted, id, new Set(clients))
      }
    })
  }

  /** Takes the counts since the last call. */
  take(): Counted {
    const counted = this.#counted
    if (counted.size > 0) this.#counted = new LazyMap()
    return counted
  }

  #fileOf(type: object, doc: Y.Doc): FileId | null {
    const known = this.#files.get(type)
    if (known !== undefined) return known
    for (const [name, root] of doc.share) {
      if (!this.#files.has(root)) this.#files.set(root, countedFile(name))
    }
    return this.#files.get(type) ?? null
  }
}
