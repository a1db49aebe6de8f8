import { type IdRange, runIndex } from '../../../lib/attribution/runs.ts'

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
  #byClient = new Map<number, List>()

  /** `now`: milliseconds since the epoch. */
  constructor(now: () => number) {
    this.#now = now
  }

  /** Notes operations that `by` deleted first. */
  note(by: string | null, ranges: readonly IdRange[]): void {
    const at = this.#now()
    for (const range of ranges) this.#add({ ...range, by, at })
    const isOld = this.#all.length > 0 && this.#all[0]!.at < at - 2 * RECENT_MS
    if (!isOld && this.#all.length <= 2 * MOST_RANGES) return
    const kept = this.#all.slice(-MOST_RANGES).filter((one) => one.at >= at - RECENT_MS)
    this.forget()
    for (const one of kept) this.#add(one)
  }

  #add(one: Recent): void {
    this.#all.push(one)
    const list = this.#byClient.get(one.client)
    if (list === undefined) this.#byClient.set(one.client, { runs: [one], isSorted: true })
    else {
      list.isSorted &&= list.runs.at(-1)!.clock < one.clock
      list.runs.push(one)
    }
  }

  forget(): void {
    this.#all = []
    this.#byClient = new Map()
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
    const list = this.#byClient.get(client)
    if (list === undefined) return NONE
    if (!list.isSorted) list.runs.sort((a, b) => a.clock - b.clock)
    list.isSorted = true
    return list.runs
  }
}

const NONE: readonly never[] = []
