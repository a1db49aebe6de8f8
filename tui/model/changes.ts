import * as Y from 'yjs'
import { itemOf } from '../../lib/yjs/internals.ts'
import { EDITS_PREFIX } from '../../workspace/document/schema.ts'

/** The parts that have to be read again. */
export interface Dirty {
  agents: boolean
  /** Connected agents, their files, and states that follow from silence. */
  presence: boolean
  said: boolean
  /** Tasks and notes that wait for the server. */
  intake: boolean
  suggestions: boolean
  /** By id; null: any. */
  tasks: Set<string> | null
  /** By file id; null: any, and where they are. */
  files: Set<string> | null
}

const clean = (): Dirty => ({
  ...{ agents: false, presence: false, said: false, intake: false },
  suggestions: false,
  ...{ tasks: new Set<string>(), files: new Set<string>() },
})

/**
 * Collects the changes of transactions since the last look, so that one changed task of ten
 * thousand costs one.
 */
export class Changes {
  /** At first all there is. */
  now: Dirty = {
    ...{ agents: true, presence: true, said: true, intake: true },
    suggestions: true,
    ...{ tasks: null, files: null },
  }
  readonly #roots = new WeakMap<object, string>()

  /** True if there is a change that a snapshot shows. */
  note({ changed }: Y.Transaction): boolean {
    let isShown = false
    for (const [start, keys] of changed) {
      let type = start as Y.AbstractType<unknown>
      /** The keys that lead to it, from the root on. */
      const way: (string | null)[] = []
      for (let item = itemOf(type); item !== null; item = itemOf(type)) {
        way.unshift(item.parentSub)
        type = item.parent as Y.AbstractType<unknown>
      }
      if (this.#noteIn(this.#rootName(type), way, keys)) isShown = true
    }
    return isShown
  }

  /** Returns the places to read again; changes of files only `withFiles`. */
  take(withFiles: boolean): Dirty {
    const taken = this.now
    this.now = clean()
    if (!withFiles) this.now.files = taken.files
    return taken
  }

  get hasFiles(): boolean {
    return this.now.files === null || this.now.files.size > 0
  }

  #noteIn(root: string, way: readonly (string | null)[], keys: Set<string | null>): boolean {
    const dirty = this.now
    switch (root) {
      case 'agents':
        dirty.agents = true
        return true
      case 'broadcasts':
      case 'meta':
        dirty.said = true
        return true
      case 'tasks':
        // Tasks are in buckets: of a bucket that comes or goes all is looked at.
        if (way.length === 0) dirty.tasks = null
        for (const id of way.length === 1 ? keys : [way[1] ?? null]) {
          if (id !== null) dirty.tasks?.add(id)
        }
        return true
      case 'intake':
        dirty.intake = true
        return true
      case 'suggestions':
        dirty.suggestions = true
        return true
      case 'files':
        dirty.files = null
        return true
    }
    if (!root.startsWith(EDITS_PREFIX)) return false
    dirty.files?.add(root.slice(EDITS_PREFIX.length))
    return true
  }

  /** The name of a root type; that of a file's edits is looked for among those of all files. */
  #rootName(type: Y.AbstractType<unknown>): string {
    let name = this.#roots.get(type)
    if (name === undefined) {
      name = Y.findRootTypeKey(type)
      this.#roots.set(type, name)
    }
    return name
  }
}
