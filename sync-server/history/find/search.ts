import { matches, type Term } from '../../../lib/text/search.ts'
import type { Found } from '../../../workspace/inbox/find.ts'
import { LOG_SCAN_MS } from '../../config/limits.ts'
import { Corruption, causeOf } from '../../storage/integrity/corruption.ts'
import type { Shelf, UpdateLog } from '../../storage/update-log.ts'
import { SEARCHED, type Wanted } from './entries.ts'
import type { Blocks, IndexStore } from './index-store.ts'
import { type Indexer, placeOf } from './indexer.ts'
import { Plan, type Read } from './plan.ts'
import {
  ANY,
  BLOCK,
  isIndexed,
  type Places,
  PUBLIC,
  placesIn,
  tokenOfAuthor,
  tokenOfReader,
  tokenOfTopic,
} from './segments.ts'

/** Blocks that are looked at together, at first and at most, and entries that are read at once (count). */
const FIRST_WINDOW = 8
const WINDOW = 512
const CHUNK = 128
/** Entries that are read together, each by its position (count). */
const READS = 24

export interface ArchiveSearch extends Wanted {
  terms: readonly Term[]
  limit: number
}

export interface ArchiveHits {
  /** Newest first. */
  found: Found[]
  /** There is more, or the time was over before the whole archive was looked at. */
  more: boolean
}

/** Searches the archives of workspaces. */
export class ArchiveFinder {
  readonly #log: Pick<UpdateLog, 'archived' | 'archivedAt' | 'archiveEnd' | 'archivePosition'>
  readonly #store: IndexStore
  readonly #indexer: Indexer
  readonly #scanMs: number

  /** `scanMs`: the most time for a search (milliseconds). */
  constructor(
    log: Pick<UpdateLog, 'archived' | 'archivedAt' | 'archiveEnd' | 'archivePosition'>,
    store: IndexStore,
    indexer: Indexer,
    scanMs: number = LOG_SCAN_MS,
  ) {
    this.#scanMs = scanMs
    this.#log = log
    this.#store = store
    this.#indexer = indexer
  }

  /** Finds entries of a shelf, the newest first, for at most LOG_SCAN_MS. */
  async find(workspace: string, shelf: Shelf, search: ArchiveSearch): Promise<ArchiveHits> {
    this.#indexer.due(workspace)
    const hits = new Hits(this.#log, workspace, shelf, search, performance.now() + this.#scanMs)
    // First the index: what is indexed meanwhile is looked at one by one.
    let blocks = await this.#indexer.end(workspace, shelf)
    let to = await this.#log.archiveEnd(workspace, shelf)
    const plan = planOf(shelf, search)
    // Common words are in the newest blocks.
    let window = FIRST_WINDOW
    while (to > 0 && !hits.isFull) {
      if (to > blocks * BLOCK) {
        const from = Math.max(blocks * BLOCK, to - CHUNK)
        await hits.look(await this.#log.archived(workspace, shelf, from, to - from))
        to = from
        continue
      }
      const low = Math.max(0, blocks - window)
      window = Math.min(4 * window, WINDOW)
      const range = { from: low, to: blocks - 1 }
      const seqs = await this.#candidates(workspace, shelf, plan, range)
      for (let at = 0; seqs !== null && at < seqs.length && !hits.isFull; at += READS) {
        await hits.look(await this.#read(workspace, shelf, seqs.slice(at, at + READS)))
      }
      // Without an index every entry is looked at.
      if (seqs === null) blocks = 0
      else {
        blocks = low
        to = low * BLOCK
      }
    }
    return { found: hits.found, more: hits.more }
  }

  /** Entries at positions, given the newest first, in the order of the archive. */
  async #read(workspace: string, shelf: Shelf, seqs: readonly number[]) {
    const read = async (seq: number) => {
      const value = await this.#log.archivedAt(workspace, shelf, seq)
      return value === null ? [] : [{ seq, value }]
    }
    return (await Promise.all(seqs.toReversed().map(read))).flat()
  }

  /** Positions in blocks that may match, the newest first; null: the index is damaged, and is made again. */
  async #candidates(
    workspace: string,
    shelf: Shelf,
    plan: Plan,
    blocks: Blocks,
  ): Promise<number[] | null> {
    const place = placeOf(workspace, shelf)
    let any: Promise<Places> | null = null
    const read: Read = (beginning, only) => {
      if (beginning !== ANY) return this.#store.places(place, beginning, blocks, only)
      any ??= this.#store.places(place, ANY, blocks)
      return any
    }
    try {
      const places = await plan.places(blocks.to - blocks.from + 1, read)
      return placesIn(places).map((at) => blocks.from * BLOCK + at + 1)
    } catch (error) {
      if (causeOf(error, Corruption) === null) throw error
      await this.#indexer.remake(workspace, shelf)
      return null
    }
  }
}

/** The conditions of a search that the index can look up. */
const planOf = (shelf: Shelf, { terms, me, from, topic, limit }: ArchiveSearch): Plan => {
  // Long words are rare.
  const words = [...new Set(terms.flatMap(({ tokens }) => tokens))]
    .filter(isIndexed)
    .sort((a, b) => b.length - a.length)
  const conditions = words.map((word) => [word, ANY])
  if (from !== undefined) conditions.push([tokenOfAuthor(from)])
  if (topic !== undefined && shelf === 'broadcasts') conditions.push([tokenOfTopic(topic)])
  conditions.push(me === null ? [PUBLIC] : [PUBLIC, tokenOfReader(me)])
  return new Plan(conditions, limit + 1)
}

const PLAIN = /^[ !#-[\]-~]+$/
const UTF8 = new TextDecoder()

/** Collects what a search finds, until it has enough or its time is over. */
class Hits {
  readonly found: Found[] = []
  more = false
  readonly #log: Pick<UpdateLog, 'archivePosition'>
  readonly #workspace: string
  readonly #shelf: Shelf
  readonly #search: ArchiveSearch
  /** Terms that JSON and Unicode write in one way only. */
  readonly #plain: readonly string[]
  readonly #until: number

  constructor(
    log: Pick<UpdateLog, 'archivePosition'>,
    workspace: string,
    shelf: Shelf,
    search: ArchiveSearch,
    until: number,
  ) {
    this.#until = until
    this.#log = log
    this.#workspace = workspace
    this.#shelf = shelf
    this.#search = search
    this.#plain = search.terms.map(({ text }) => text).filter((text) => PLAIN.test(text))
  }

  /** False if the stored JSON has not even the letters of a plain term. */
  #mayMatch(json: string): boolean {
    if (this.#plain.length === 0) return true
    const lower = json.toLowerCase()
    return this.#plain.every((term) => lower.includes(term))
  }

  get isFull(): boolean {
    if (!this.more && performance.now() > this.#until) this.more = true
    return this.more
  }

  /** Looks at entries, the last one first. */
  async look(entries: readonly { seq: number; value: Uint8Array }[]): Promise<void> {
    for (const { seq, value } of entries.toReversed()) {
      if (this.more) return
      const json = UTF8.decode(value)
      if (!this.#mayMatch(json)) continue
      const entry = SEARCHED[this.#shelf].readable(json, this.#search)
      if (entry === null || !matches(entry.text, this.#search.terms)) continue
      // A task with a later note has a newer entry.
      const isOld =
        this.#shelf === 'tasks' &&
        (await this.#log.archivePosition(this.#workspace, this.#shelf, entry.id)) !== seq
      if (isOld) continue
      if (this.found.length === this.#search.limit) this.more = true
      else this.found.push(entry.found)
    }
  }
}
