/** The least time between two wake-ups, in milliseconds. */
const GAP_MS = 2_000
/**
 * The wait before the next wake-up of an agent that has not looked since the last one, in milliseconds; it doubles up to
 * the longest one. A turn costs money, and an agent that does not look may be unable to.
 */
const UNANSWERED_MS = 60_000
const LONGEST_UNANSWERED_MS = 60 * 60_000
/** An agent that waits for messages itself gets this time, in milliseconds, to take them. */
export const ATTENDED_MS = 30_000

/** The decision: wake now, or look again after `waitMs`, or when something changes (null). */
export type Pace = { wakes: true } | { wakes: false; waitMs: number | null }

/** Decides when unread messages wake an agent: once per batch, and rarer while the agent does not look. */
export class Pacer {
  /** Unread messages that the agent was woken for. */
  #told: Set<string>
  #wokenAt = Number.NEGATIVE_INFINITY
  #holdMs = GAP_MS
  #newsSince: number | null = null
  /** True until this process wakes the agent: an earlier process did, at an unknown time. */
  #isInherited = true

  /** `told`: the messages that an earlier process woke the agent for, less than a minute ago at the earliest. */
  constructor(told: readonly string[], now: number) {
    this.#told = new Set(told)
    if (told.length > 0) {
      this.#wokenAt = now
      this.#holdMs = UNANSWERED_MS
    }
  }

  get told(): string[] {
    return [...this.#told]
  }

  /**
   * `unread`: the waking messages now. `now`: milliseconds of a monotonic clock. `isAttended`: the agent has just waited
   * for messages by a command of its own, or does so now.
   */
  look(unread: readonly string[], now: number, isAttended: boolean): Pace {
    const had = this.#told.size
    this.#told = new Set(unread.filter((id) => this.#told.has(id)))
    if (had > 0 && this.#told.size === 0) {
      this.#holdMs = GAP_MS
      // The agent has looked since the earlier process woke it: no need to keep a distance from that.
      if (this.#isInherited) this.#wokenAt = Number.NEGATIVE_INFINITY
    }
    if (unread.length === this.#told.size) {
      this.#newsSince = null
      return { wakes: false, waitMs: null }
    }
    this.#newsSince ??= now
    const from = isAttended ? this.#newsSince + ATTENDED_MS : now
    const until = Math.max(from, this.#wokenAt + this.#holdMs)
    if (until > now) return { wakes: false, waitMs: until - now }
    this.#holdMs =
      this.#told.size === 0
        ? UNANSWERED_MS
        : Math.min(Math.max(2 * this.#holdMs, UNANSWERED_MS), LONGEST_UNANSWERED_MS)
    this.#wokenAt = now
    this.#isInherited = false
    this.#newsSince = null
    this.#told = new Set(unread)
    return { wakes: true }
  }
}
