import { addAll, BLOCK, blocksIn, countOf, keepBoth, newPlaces, type Places } from './segments.ts'

/** Reads the places of tokens with a beginning in the blocks of a window. `only`: as for IndexStore.places. */
export type Read = (beginning: string, only: readonly number[] | null) => Promise<Places>

/** Costs of a look at one more record of the index, and at one more entry, in the same unit. */
const RECORD_COST = 1
const ENTRY_COST = 3

/** A condition that the index knows: an entry has a token with one of these beginnings. */
interface Step {
  beginnings: readonly string[]
  /** Entries of blocks that were looked at, and those of them that fulfil it (count). */
  looked: number
  fulfil: number
}

/**
 * The conditions of a search that are looked up in the index, and their order: the rarest first, as far as they were counted
 * in newer blocks, and only those that spare more than they cost. What remains is read and compared anyway.
 */
export class Plan {
  readonly #steps: Step[]
  readonly #wanted: number

  /** `conditions`: beginnings, one of which an entry must have; the likely rarest first. `wanted`: entries (count). */
  constructor(conditions: readonly (readonly string[])[], wanted: number) {
    this.#steps = conditions.map((beginnings) => ({ beginnings, looked: 0, fulfil: 0 }))
    this.#wanted = wanted
  }

  /** The places in a window of `blocks` blocks that may match. */
  async places(blocks: number, read: Read): Promise<Places> {
    let left: Places | null = null
    for (const step of this.#steps.sort((a, b) => partOf(a) - partOf(b))) {
      const only: number[] | null = left === null ? null : blocksIn(left)
      // All are counted once, to know which one is rare.
      if (left !== null && step.looked > 0 && !this.#pays(step, countOf(left), only!.length))
        continue
      const looked = step.looked === 0 ? null : only
      const found = newPlaces(blocks)
      for (const beginning of step.beginnings) addAll(found, await read(beginning, looked))
      step.looked += (looked?.length ?? blocks) * BLOCK
      step.fulfil += countOf(found)
      if (left === null) left = found
      else keepBoth(left, found)
    }
    return left ?? newPlaces(blocks)
  }

  /** True if fewer entries, of `count` in `blocks` blocks, will have to be read thanks to this condition, by more than it costs. */
  #pays(step: Step, count: number, blocks: number): boolean {
    const part = partOf(step)
    const without = Math.min(count, this.#wanted / part)
    const spared = without - Math.min(count * part, this.#wanted)
    return spared * ENTRY_COST > blocks * step.beginnings.length * RECORD_COST
  }
}

/** The part of the entries that fulfil a condition, as far as it is known. */
const partOf = ({ looked, fulfil }: Step): number => (looked === 0 ? 0 : fulfil / looked)
