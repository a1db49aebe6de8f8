import { ClawError } from '../../workspace/errors.ts'

/** Beyond those that are free each doubles the time (milliseconds) in which no other one is looked at, up to the last. */
const FIRST_WAIT_MS = 1_000
const LAST_WAIT_MS = 15 * 60_000
/** An address with no failure for so long (milliseconds) has none. */
const FORGET_MS = 60 * 60_000
/** Addresses that are remembered (count): beyond it the oldest go. */
const MAX_ADDRESSES = 10_000

/**
 * Slows down who tries credentials. A valid one is never held up: only what is wrong is counted, so that nobody behind the
 * same address is shut out.
 */
export class Failures {
  readonly #now: () => number
  readonly #free: number
  readonly #of = new Map<string, { count: number; until: number; at: number }>()

  /** `free`: so many of an address are answered at once; people mistype, and links are old. */
  constructor(now: () => number, free: number) {
    this.#now = now
    this.#free = free
  }

  /** Counts a failure. Throws `too_many` while the address has to wait. */
  failed(address: string): void {
    const now = this.#now()
    const known = this.#of.get(address)
    if (known !== undefined && now < known.until) {
      const seconds = Math.ceil((known.until - now) / 1_000)
      throw new ClawError(
        'too_many',
        `too many wrong credentials came from ${address}`,
        `the next one is looked at in ${seconds} s`,
      )
    }
    const count = known === undefined || now - known.at > FORGET_MS ? 1 : known.count + 1
    const doublings = count - this.#free
    const wait = doublings < 0 ? 0 : Math.min(LAST_WAIT_MS, FIRST_WAIT_MS * 2 ** doublings)
    this.#of.delete(address)
    this.#of.set(address, { count, until: now + wait, at: now })
    if (this.#of.size > MAX_ADDRESSES) {
      const [oldest] = this.#of.keys()
      if (oldest !== undefined) this.#of.delete(oldest)
    }
  }
}
