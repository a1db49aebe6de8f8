import type { Shelf, UpdateLog } from '../../storage/update-log.ts'
import type { IndexStore } from './index-store.ts'
import { BLOCK } from './segments.ts'

const UTF8 = new TextDecoder()
/** Entries that are read at once (count). */
const CHUNK = 128

export const SHELVES = ['broadcasts', 'tasks'] as const
export const placeOf = (workspace: string, shelf: Shelf): string => `${workspace}/${shelf}`

interface Env {
  log: Pick<UpdateLog, 'archived' | 'archiveEnd'>
  store: IndexStore
  /** Makes the segments of a block of a shelf from its entries as stored, apart from the main thread (entries.ts). */
  segments: (shelf: Shelf, entries: string[]) => Promise<[string, Uint8Array][]>
  onError: (error: unknown) => void
}

/**
 * Indexes archives, one block at a time, after their entries are stored: no commit waits for it. Also what an earlier
 * version archived, from the first search or archived entry on.
 */
export class Indexer {
  readonly #env: Env
  /** Indexed blocks by place, read once. */
  readonly #ends = new Map<string, number>()
  readonly #due = new Set<string>()
  #running: Promise<void> | null = null
  #isClosed = false

  constructor(env: Env) {
    this.#env = env
  }

  /** The number of indexed blocks. */
  async end(workspace: string, shelf: Shelf): Promise<number> {
    const place = placeOf(workspace, shelf)
    const known = this.#ends.get(place)
    if (known !== undefined) return known
    const end = await this.#env.store.end(place)
    this.#ends.set(place, end)
    return end
  }

  /** Call when entries of a workspace were archived, or are searched. */
  readonly due = (workspace: string): void => {
    if (this.#isClosed) return
    this.#due.add(workspace)
    this.#running ??= this.#run().finally(() => {
      this.#running = null
    })
  }

  /** Makes the index of a shelf again: a record of it is damaged. */
  async remake(workspace: string, shelf: Shelf): Promise<void> {
    const place = placeOf(workspace, shelf)
    await this.#env.store.forget(place)
    this.#ends.set(place, 0)
    this.due(workspace)
  }

  /** Forgets what it knows of one workspace, or of all: the store was opened again, or another process writes it. */
  forget(workspace?: string): void {
    if (workspace === undefined) this.#ends.clear()
    else for (const shelf of SHELVES) this.#ends.delete(placeOf(workspace, shelf))
  }

  /** Resolves when nothing is left to index. */
  async settled(): Promise<void> {
    while (this.#running !== null) await this.#running
  }

  /** Begins no further block; resolves when the present one is stored. */
  async close(): Promise<void> {
    this.#isClosed = true
    await this.settled()
  }

  async #run(): Promise<void> {
    for (const workspace of this.#due) {
      this.#due.delete(workspace)
      try {
        for (const shelf of SHELVES) while (await this.#next(workspace, shelf));
      } catch (error) {
        this.#ends.clear()
        this.#env.onError(error)
      }
    }
  }

  /** Indexes the next block; false if there is none. */
  async #next(workspace: string, shelf: Shelf): Promise<boolean> {
    const { log, store, segments } = this.#env
    const block = await this.end(workspace, shelf)
    const until = (block + 1) * BLOCK
    if (this.#isClosed || (await log.archiveEnd(workspace, shelf)) < until) return false
    const entries: string[] = []
    for (let after = block * BLOCK; after < until; ) {
      const read = await log.archived(workspace, shelf, after, Math.min(CHUNK, until - after))
      for (const { seq, value } of read) entries[seq - 1 - block * BLOCK] = UTF8.decode(value)
      after = read.at(-1)?.seq ?? until
    }
    const all = Array.from({ length: BLOCK }, (_, at) => entries[at] ?? '')
    const place = placeOf(workspace, shelf)
    await store.add(place, block, await segments(shelf, all))
    this.#ends.set(place, block + 1)
    return true
  }
}
