import type { AwarenessEntry } from '../../protocol/frames.ts'
import { AWARENESS_TICK_MS } from '../config/limits.ts'
import type { AwarenessStates } from './awareness.ts'
import type { Connection } from './connection.ts'
import { awarenessFrame } from './outgoing/frame-writer.ts'
import type { Principal } from './principal.ts'

/**
 * A room's awareness states; collects changes for AWARENESS_TICK_MS and sends them to the
 * connections.
 */
export class AwarenessFeed {
  readonly #states: AwarenessStates
  readonly #connections: ReadonlySet<Connection>
  readonly #guard: (work: () => void) => void
  #timer: NodeJS.Timeout | null = null
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
    if (this.#timer !== null) clearTimeout(this.#timer)
  }

  #schedule(): void {
    if (this.#timer !== null || this.#isClosed || !this.#states.hasChanged) return
    this.#timer = setTimeout(() => {
      this.#timer = null
      this.#guard(() => this.#send())
    }, AWARENESS_TICK_MS)
  }

  #send(): void {
    const frame = awarenessFrame(this.#states.takeChanged())
    for (const connection of this.#connections) {
      if (connection.ready) connection.send([frame])
      else connection.reader.missAwareness()
    }
  }
}
