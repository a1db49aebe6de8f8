import { FULL } from './budget.ts'
import { AWAY } from './gone.ts'
import { folded } from './rules/paths.ts'

/**
 * After a disk error a path is retried after this time; the delay doubles up to the maximum (ms).
 */
const AGAIN_MS = 1_000
const MAX_AGAIN_MS = 15_000
/** Paths retried at a time (count), and the shortest pause between two retries (ms). */
const MAX_AGAIN = 200
const LEAST_MS = 100

/** Nothing reports the end of these states. */
const isPassing = (why: string): boolean => why === FULL || why === AWAY || /^E[A-Z]+\b/.test(why)

export interface SkippedEvents {
  /** A path is skipped that was not, or for another cause. */
  onNew: (rel: string, why: string) => void
  /** These paths are to be retried. */
  onDue: (rels: readonly string[]) => void
}

/** Paths that are not mirrored, and why. Where the cause may pass unnoticed they are retried. */
export class Skipped {
  readonly #whys = new Map<string, string>()
  readonly #again = new Map<string, { after: number; due: number }>()
  readonly #events: SkippedEvents
  #timer: NodeJS.Timeout | null = null
  #timerDue = Number.POSITIVE_INFINITY
  #isClosed = false

  constructor(events: SkippedEvents) {
    this.#events = events
  }

  /** Why each of them is not. */
  get whys(): ReadonlyMap<string, string> {
    return this.#whys
  }

  add(rel: string, why: string): null {
    const isNew = this.#whys.get(rel) !== why
    this.#whys.set(rel, why)
    if (!isPassing(why)) this.#again.delete(rel)
    else {
      const last = this.#again.get(rel)?.after
      const after = last === undefined ? AGAIN_MS : Math.min(2 * last, MAX_AGAIN_MS)
      this.#again.set(rel, { after, due: Date.now() + after })
      this.#schedule()
    }
    if (isNew) this.#events.onNew(rel, why)
    return null
  }

  delete(rel: string): null {
    this.#whys.delete(rel)
    this.#again.delete(rel)
    return null
  }

  /**
   * Skipped paths that a changed path may have blocked: those below it, above it, or of its name. Paths that are retried
   * are not among them: a retry changes files, too.
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

  /** Those that are retried; something was freed, so now. */
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
    this.#events.onDue(due.map(([rel]) => rel))
    this.#schedule()
  }
}
