import { folded } from './paths.ts'

/** What the disk refused is tried again after this, twice as long each time, up to the second (ms). */
const AGAIN_MS = 1_000
const MAX_AGAIN_MS = 15_000
/** Paths that are tried again at a time (count), and how long after each other at least (ms). */
const MAX_AGAIN = 200
const LEAST_MS = 100

/** Paths that are not mirrored for now. What only the moment stands against is tried again. */
export class Skipped {
  readonly #whys = new Map<string, string>()
  readonly #again = new Map<string, { after: number; due: number }>()
  readonly #onDue: (rels: readonly string[]) => void
  #timer: NodeJS.Timeout | null = null
  #timerDue = Number.POSITIVE_INFINITY
  #isClosed = false

  constructor(onDue: (rels: readonly string[]) => void) {
    this.#onDue = onDue
  }

  /** Why each of them is not. */
  get whys(): ReadonlyMap<string, string> {
    return this.#whys
  }

  /** Whether that is news. `isPassing`: it may be another time, and nothing will tell. */
  add(rel: string, why: string, isPassing: boolean): boolean {
    const isNew = this.#whys.get(rel) !== why
    this.#whys.set(rel, why)
    if (!isPassing) this.#again.delete(rel)
    else {
      const last = this.#again.get(rel)?.after
      const after = last === undefined ? AGAIN_MS : Math.min(2 * last, MAX_AGAIN_MS)
      this.#again.set(rel, { after, due: Date.now() + after })
      this.#schedule()
    }
    return isNew
  }

  delete(rel: string): null {
    this.#whys.delete(rel)
    this.#again.delete(rel)
    return null
  }

  /**
   * Those in whose way another path may have been, of which something was told: below it, above it, or of its name. What
   * the disk refused is not among them: trying it again is told of, too.
   */
  near(rel: string): string[] {
    if (this.#whys.size === 0) return []
    const name = folded(rel)
    return [...this.#whys.keys()].filter(
      (one) =>
        one !== rel &&
        !this.#again.has(one) &&
        (one.startsWith(`${rel}/`) || rel.startsWith(`${one}/`) || folded(one) === name),
    )
  }

  /** Those that are tried again, which is due now: something was freed. */
  get passing(): string[] {
    return [...this.#again.keys()].slice(0, MAX_AGAIN)
  }

  close(): void {
    this.#isClosed = true
    if (this.#timer !== null) clearTimeout(this.#timer)
  }

  #schedule(): void {
    if (this.#isClosed) return
    let due = Number.POSITIVE_INFINITY
    for (const one of this.#again.values()) due = Math.min(due, one.due)
    if (due >= this.#timerDue) return
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timerDue = due
    this.#timer = setTimeout(() => this.#onTime(), Math.max(LEAST_MS, due - Date.now()))
  }

  #onTime(): void {
    this.#timer = null
    this.#timerDue = Number.POSITIVE_INFINITY
    const now = Date.now()
    const due = [...this.#again].filter(([, one]) => one.due <= now).slice(0, MAX_AGAIN)
    for (const [, one] of due) one.due = now + MAX_AGAIN_MS // until it is known how it went
    this.#onDue(due.map(([rel]) => rel))
    this.#schedule()
  }
}
