import { type IdRange, runIndex } from '../../../lib/attribution/runs.ts'
import { LazyMap } from '../../../lib/lazy.ts'

/** Longer than a deletion is on its way to a client that is not closed as silent (milliseconds). */
const RECENT_MS = 120_000
/** Ranges that are remembered (count): those of the newest changes, in about a megabyte. */
const MOST_RANGES = 10_000

interface Recent extends IdRange {
  by: string | null
  at: number
}

/** Of one Yjs client id. */
interface List {
  runs: Recent[]
  isSorted: boolean
}

/**
 * The newest deletions of text in a room and who made them, to tell deletions that two agents make at the same time. A
 * restart forgets them.
 */
export class RecentDeletions {
  readonly #now: () => number
  /** In the order of the commits. */
  #all: Recent[] = []
  /** Those of `#all` that are in `#byClient` (count): the rest is added when somebody asks. */
  #indexed = 0
  readonly #byClient = new LazyMap<number, List>()

  /** `now`: milliseconds since the epoch. */
  constructor(now: () => number) {
    this.#now = now
  }

  /** Notes operations that `by` deleted first. */
  note(by: string | null, ranges: readonly IdRange[]): void {
    if (ranges.length === 0) return
    const at = this.#now()
    for (const { client, clock, length } of ranges)
      this.#all.push({ client, clock, length, by, at })
    if (this.#all.length <= 2 * MOST_RANGES) return
    const kept = this.#all.slice(-MOST_RANGES)
    this.forget()
    this.#all = kept
  }

  forget(): void {
    this.#all = []
    this.#indexed = 0
    this.#byClient.clear()
  }

  /** The parts of `ranges` that others than `by` deleted a moment ago. */
  byOthers(by: string | null, ranges: readonly IdRange[]): IdRange[] {
    const since = this.#now() - RECENT_MS
    const found: IdRange[] = []
    for (const { client, clock, length } of ranges) {
      const runs = this.#runsOf(client)
      const end = clock + length
      for (let i = runIndex(runs, clock); i < runs.length && runs[i]!.clock < end; i++) {
        const run = runs[i]!
        const [from, to] = [Math.max(clock, run.clock), Math.min(end, run.clock + run.length)]
        if (run.by !== by && run.at >= since) found.push({ client, clock: from, length: to - from })
      }
    }
    return found
  }

  #runsOf(client: number): readonly Recent[] {
    for (; this.#indexed < this.#all.length; this.#indexed++) this.#index(this.#all[this.#indexed]!)
    const list = this.#byClient.get(client)
    if (list === undefined) return NONE
    if (!list.isSorted) list.runs.sort((a, b) => a.clock - b.clock)
    list.isSorted = true
    return list.runs
  }

  #index(one: Recent): void {
    const list = this.#byClient.get(one.client)
    if (list === undefined) this.#byClient.set(one.client, { runs: [one], isSorted: true })
    else {
      list.isSorted &&= list.runs.at(-1)!.clock < one.clock
      list.runs.push(one)
    }
  }
}

const NONE: readonly never[] = []
