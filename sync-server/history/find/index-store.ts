import type { Derived } from '../../storage/level-update-log.ts'
import {
  addPlaces,
  blockIn,
  blockOps,
  decodeEnd,
  endKey,
  newPlaces,
  noBlocks,
  type Places,
  rangeOf,
} from './segments.ts'

const UTF8 = new TextEncoder()

/** The records of the search index in the server's database. */
export class IndexStore {
  readonly #db: Derived['db']
  readonly #put: Derived['put']

  constructor({ db, put }: Derived) {
    this.#db = db
    this.#put = put
  }

  /** The number of indexed blocks. */
  async end(place: string): Promise<number> {
    return decodeEnd(await this.#db.get(endKey(place)))
  }

  /** Stores the index of the next block. */
  async add(place: string, block: number, segments: [string, Uint8Array][]): Promise<void> {
    await this.#put(blockOps(place, block, segments))
  }

  /** Forgets the index of a place: it is made again, with the same keys. */
  async forget(place: string): Promise<void> {
    await this.#put([noBlocks(place)])
  }

  /** The places of the entries, by block, that have a token with one of these beginnings. Rejects with Corruption. */
  async places(
    place: string,
    beginnings: readonly string[],
    from: number,
    to: number,
  ): Promise<Map<number, Places>> {
    const found = new Map<number, Places>()
    for (const beginning of beginnings) {
      const bytes = UTF8.encode(beginning)
      for (const [key, value] of await this.#db
        .iterator(rangeOf(place, beginning, from, to))
        .all()) {
        const block = blockIn(key)
        const places = found.get(block) ?? newPlaces()
        found.set(block, places)
        addPlaces(value, bytes, places)
      }
    }
    return found
  }
}
