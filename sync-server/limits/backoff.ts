import { ClawError } from '../../protocol/errors.ts'

/** The first wait (milliseconds); each further failure doubles it, up to the longest wait. */
const FIRST_WAIT_MS = 1_000
/** Failures older than this are forgotten (milliseconds). */
const FORGET_MS = 60 * 60_000
/** The most keys remembered (count); the oldest are dropped first. */
const MAX_KNOWN = 10_000
const NONE = { count: 0, waits: 0 }

/**
 * Counts failures per key. Each failure beyond the free ones doubles the wait before the next
 * attempt.
 */
export class Backoff {
  readonly #now: () => number
  readonly #free: number
  readonly #lastWaitMs: number
  readonly #of = new Map<string, { count: number; waits: number; until: number; at: number }>()

  /**
   * `free`: failures without a wait, as people mistype and links expire. `lastWaitMs`: the longest
   * wait.
   */
  constructor(now: () => number, free: number, lastWaitMs: number) {
    this.#now = now
    this.#free = free
    this.#lastWaitMs = lastWaitMs
  }

  /** Milliseconds that `who` must wait; 0 for no wait. */
  wait(who: string): number {
    return Math.max(0, (this.#of.get(who)?.until ?? 0) - this.#now())
  }

  /** Throws `too_many` while `who` must wait; `of` names the failures in the message. */
  check(who: string, of: string): void {
    const left = this.wait(who)
    if (left === 0) return
    const seconds = Math.ceil(left / 1_000)
    const hint = `try again in ${seconds} s`
    throw new ClawError('too_many', `too many ${of}`, hint, seconds)
  }

  /** Counts a failure of `who` as `weight` failures. */
  count(who: string, weight = 1): void {
    const now = this.#now()
    const known = this.#of.get(who)
    const before = known === undefined || now - known.at > FORGET_MS ? NONE : known
    const count = before.count + weight
    const waits = count < this.#free ? 0 : before.waits + 1
    const wait = waits === 0 ? 0 : Math.min(this.#lastWaitMs, FIRST_WAIT_MS * 2 ** (waits - 1))
    this.#of.delete(who)
    this.#of.set(who, { count, waits, until: now + wait, at: now })
    if (this.#of.size > MAX_KNOWN) {
      const [oldest] = this.#of.keys()
      if (oldest !== undefined) this.#of.delete(oldest)
    }
  }
}
