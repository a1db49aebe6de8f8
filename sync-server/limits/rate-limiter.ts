/** What may flow in a second, on average, and at once. */
export interface Rate {
  perSecond: number
  burst: number
}

/** A token bucket (RFC 2697's committed rate and burst): says how long to wait after what was taken. */
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

  /** Nothing has flowed for so long that it is as new. */
  isFull(now: number): boolean {
    return (
      this.#left + (Math.max(0, now - this.#at) / 1_000) * this.#rate.perSecond >= this.#rate.burst
    )
  }
}

/** How fast one agent may do each of these things, over all of its connections. */
export type FlowLimits<K extends string> = Readonly<Record<K, Rate>>

/** The paces of all who send. Who is too fast is not read from for a while: nothing is lost, and others are not held up. */
export class RateLimiter<K extends string> {
  readonly #limits: FlowLimits<K>
  readonly #senders = new Map<string, Map<K, Pace>>()

  constructor(limits: FlowLimits<K>) {
    this.#limits = limits
  }

  /** After so much of `sender`'s: the milliseconds in which no more is to be taken from it. */
  after(sender: string, taken: Partial<Record<K, number>>, now: number): number {
    let paces = this.#senders.get(sender)
    if (paces === undefined) {
      paces = new Map()
      for (const kind in this.#limits) paces.set(kind, new Pace(this.#limits[kind], now))
      this.#senders.set(sender, paces)
    }
    let wait = 0
    for (const kind in taken) wait = Math.max(wait, paces.get(kind)!.take(taken[kind]!, now))
    return wait
  }

  /** Forgets those who have been quiet. */
  forget(now: number): void {
    for (const [sender, paces] of this.#senders) {
      if ([...paces.values()].every((pace) => pace.isFull(now))) this.#senders.delete(sender)
    }
  }
}
