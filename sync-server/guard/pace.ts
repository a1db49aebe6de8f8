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

/** How fast one agent may send, over all of its connections. */
export interface FlowLimits {
  /** Messages (count) and their bytes. */
  frames: Rate
  bytes: Rate
  /** Awareness messages (count): each goes out to everyone. */
  awareness: Rate
}

/** The paces of all who send. Who is too fast is not read from for a while: nothing is lost, and others are not held up. */
export class Flow {
  readonly #limits: FlowLimits
  readonly #senders = new Map<string, { frames: Pace; bytes: Pace; awareness: Pace }>()

  constructor(limits: FlowLimits) {
    this.#limits = limits
  }

  /** After a message of `sender`: the milliseconds in which no more is to be read from it. */
  after(sender: string, bytes: number, isAwareness: boolean, now: number): number {
    let paces = this.#senders.get(sender)
    if (paces === undefined) {
      const { frames, bytes: size, awareness } = this.#limits
      paces = {
        frames: new Pace(frames, now),
        bytes: new Pace(size, now),
        awareness: new Pace(awareness, now),
      }
      this.#senders.set(sender, paces)
    }
    return Math.max(
      paces.frames.take(1, now),
      paces.bytes.take(bytes, now),
      isAwareness ? paces.awareness.take(1, now) : 0,
    )
  }

  /** Forgets those who have been quiet. */
  forget(now: number): void {
    for (const [sender, { frames, bytes, awareness }] of this.#senders) {
      if ([frames, bytes, awareness].every((pace) => pace.isFull(now))) this.#senders.delete(sender)
    }
  }
}
