import { ClawError } from '../../protocol/errors.ts'

/** Beyond those that are free each doubles the time (milliseconds) in which no other one is looked at, up to the last. */
const FIRST_WAIT_MS = 1_000
/** Who has had no failure for so long (milliseconds) has none. */
const FORGET_MS = 60 * 60_000
/** Who is remembered (count): beyond it the oldest go. */
const MAX_KNOWN = 10_000
const NONE = { count: 0, waits: 0 }

/** Counts what somebody did wrong, and says how long to wait before the next is looked at: longer each time. */
export class Backoff {
  readonly #now: () => number
  readonly #free: number
  readonly #lastWaitMs: number
  readonly #of = new Map<string, { count: number; waits: number; until: number; at: number }>()

  /** `free`: so many are looked at at once; people mistype, and links are old. `lastWaitMs`: the longest wait. */
  constructor(now: () => number, free: number, lastWaitMs: number) {
    this.#now = now
    this.#free = free
    this.#lastWaitMs = lastWaitMs
  }

  /** For how long `who` has to wait (milliseconds); 0: not at all. */
  wait(who: string): number {
    return Math.max(0, (this.#of.get(who)?.until ?? 0) - this.#now())
  }

  /** Throws `too_many`, which says of what (`of`), while `who` has to wait. */
  check(who: string, of: string): void {
    const left = this.wait(who)
    if (left === 0) return
    const seconds = Math.ceil(left / 1_000)
    const hint = `try again in ${seconds} s`
    throw new ClawError('too_many', `too many ${of}`, hint, seconds)
  }

  /** `weight`: for how many it counts. */
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
