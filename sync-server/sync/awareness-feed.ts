import type { AwarenessEntry } from '../../protocol/frames.ts'
import { AWARENESS_TICK_MS } from '../config/limits.ts'
import type { AwarenessStates } from './awareness.ts'
import type { Connection } from './connection.ts'
import { awarenessFrame } from './outgoing/frame-writer.ts'
import type { Principal } from './principal.ts'

/** The rest after a send to all connections, in times of what the send took: a bound on the share of the processor. */
const REST = 2

/**
 * A room's awareness states. A change is sent to all connections at once after a quiet time. While changes go on, sends
 * rest in proportion to their cost, for at most AWARENESS_TICK_MS, and each has all changes since the one before.
 */
export class AwarenessFeed {
  readonly #states: AwarenessStates
  readonly #connections: ReadonlySet<Connection>
  readonly #guard: (work: () => void) => void
  /** Ends a send that is due; null: none is. */
  #cancel: (() => void) | null = null
  /** No send begins before this time (`performance.now`). */
  #restUntil = 0
  #isClosed = false

  /** `guard` runs the room's own work. */
  constructor(
    states: AwarenessStates,
    connections: ReadonlySet<Connection>,
    guard: (work: () => void) => void,
  ) {
    this.#states = states
    this.#connections = connections
    this.#guard = guard
  }

  /** The states of all present clients. */
  get present(): AwarenessEntry[] {
    return this.#states.present()
  }

  /** Throws WireError (`forged`, `malformed`). */
  apply(number: number, by: Principal, entries: readonly AwarenessEntry[], now: number): void {
    this.#states.apply(number, by, entries, now)
    this.#schedule()
  }

  /** Removes the state of a closed connection. */
  drop(number: number, now: number): void {
    this.#states.drop(number, now)
    this.#schedule()
  }

  forgetOld(now: number): void {
    this.#states.forgetOld(now)
  }

  close(): void {
    this.#isClosed = true
    this.#cancel?.()
  }

  #schedule(): void {
    if (this.#cancel !== null || this.#isClosed || !this.#states.hasChanged) return
    const send = (): void => {
      this.#cancel = null
      this.#guard(() => this.#send())
    }
    const wait = this.#restUntil - performance.now()
    if (wait > 0) {
      const timer = setTimeout(send, wait)
      this.#cancel = () => clearTimeout(timer)
    } else {
      const immediate = setImmediate(send)
      this.#cancel = () => clearImmediate(immediate)
    }
  }

  #send(): void {
    const started = performance.now()
    const frame = awarenessFrame(this.#states.takeChanged())
    for (const connection of this.#connections) {
      if (connection.ready) connection.send([frame])
      else connection.reader.missAwareness()
    }
    const ended = performance.now()
    this.#restUntil = ended + Math.min(AWARENESS_TICK_MS, REST * (ended - started))
  }
}
