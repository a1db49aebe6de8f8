/** An average rate per second, and the most at once. */
export interface Rate {
  perSecond: number
  burst: number
}

/**
 * A token bucket (RFC 2697, committed rate and burst) that may be overdrawn; the caller then waits.
 */
export class Pace {
  readonly #rate: Rate
  #left: number
  #at: number

  constructor(rate: Rate, now: number) {
    this.#rate = rate
    this.#left = rate.burst
    this.#at = now
  }

  /** Takes `amount` at `now` (milliseconds); returns the milliseconds to wait before more, 0: none. */
  take(amount: number, now: number): number {
    const { perSecond, burst } = this.#rate
    const passed = Math.max(0, now - this.#at) / 1_000
    this.#left = Math.min(burst, this.#left + passed * perSecond) - amount
    this.#at = now
    return this.#left >= 0 ? 0 : (-this.#left / perSecond) * 1_000
  }

  /** True if the bucket is full again. */
  isFull(now: number): boolean {
    return (
      this.#left + (Math.max(0, now - this.#at) / 1_000) * this.#rate.perSecond >= this.#rate.burst
    )
  }
}

/** The rate of each kind for one sender, over all of its connections. */
export type FlowLimits<K extends string> = Readonly<Record<K, Rate>>

/**
 * The token buckets of all senders. A sender that is too fast is not read for a while: nothing is
 * lost, and other senders do not wait.
 */
export class RateLimiter<K extends string> {
  readonly #limits: FlowLimits<K>
  readonly #senders = new Map<string, Partial<Record<K, Pace>>>()

  constructor(limits: FlowLimits<K>) {
    this.#limits = limits
  }

  /** Takes amounts from `sender`'s buckets. Returns the milliseconds to wait before the next. */
  after(sender: string, taken: Partial<Record<K, number>>, now: number): number {
    let paces = this.#senders.get(sender)
    if (paces === undefined) {
      paces = {}
      this.#senders.set(sender, paces)
    }
    let wait = 0
    for (const kind in taken) {
      const amount = taken[kind]!
      // A bucket of which nothing was taken yet is full.
      if (amount === 0 && paces[kind] === undefined) continue
      paces[kind] ??= new Pace(this.#limits[kind], now)
      wait = Math.max(wait, paces[kind].take(amount, now))
    }
    return wait
  }

  /** Forgets idle senders. */
  forget(now: number): void {
    for (const [sender, paces] of this.#senders) {
      if (Object.values<Pace>(paces as Record<K, Pace>).every((pace) => pace.isFull(now)))
        this.#senders.delete(sender)
    }
  }
}
