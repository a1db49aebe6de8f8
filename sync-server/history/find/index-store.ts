import type { Derived } from '../../storage/level-update-log.ts'
import {
  addPlaces,
  blockIn,
  blockOps,
  decodeEnd,
  endKey,
  keysOf,
  newPlaces,
  noBlocks,
  type Places,
  rangeOf,
} from './segments.ts'

const UTF8 = new TextEncoder()
/** Up to this part of a range its records are read one by one, which costs more of each. */
const FEW = 0.3

/** Blocks in the order of the archive, both ends included. */
export interface Blocks {
  from: number
  to: number
}

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

  /**
   * The places of the entries of blocks `from` to `to` that have a token with this beginning. `only` (absent: all): the blocks
   * that are looked at, counted from `from` on. Rejects with Corruption.
   */
  async places(
    place: string,
    beginning: string,
    { from, to }: Blocks,
    only: readonly number[] | null = null,
  ): Promise<Places> {
    const count = to - from + 1
    const found = newPlaces(count)
    const bytes = UTF8.encode(beginning)
    if (only !== null && only.length < count * FEW) {
      const keys = keysOf(
        place,
        beginning,
        only.map((nth) => from + nth),
      )
      for (const [i, value] of (await this.#db.getMany(keys)).entries()) {
        if (value !== undefined) addPlaces(value, bytes, found, only[i]!)
      }
      return found
    }
    for (const [key, value] of await this.#db.iterator(rangeOf(place, beginning, from, to)).all()) {
      addPlaces(value, bytes, found, blockIn(key) - from)
    }
    return found
  }
}
