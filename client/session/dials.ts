import { randomFraction } from '../../lib/random.ts'
import type { ClawError } from '../../protocol/errors.ts'
import { backoffMs } from './closing.ts'

/** Sessions of a process that dial one server and are not synced yet (count): these are done before others begin. */
const AT_ONCE = 8
/** A session that takes longer to sync lets the next one begin (milliseconds): the server may be what is slow. */
const TURN_MS = 400

/** A session, as the one that dials. */
export interface Dialler {
  dial: () => void
  /** The server is away: it would not have been reached now either. */
  away: (why: ClawError) => void
}

/**
 * The sessions of a process that have lost one server, in a queue: a link of many profiles gets them back one after the
 * other, each at full speed. While the server is away, one of them tries for all.
 */
export class Dials {
  readonly #waiting = new Set<Dialler>()
  readonly #dialling = new Map<Dialler, NodeJS.Timeout>()
  /** Why the server is away; null: it is not known to be. */
  #why: ClawError | null = null
  #tries = 0
  /** The wait before the next attempt while the server is away. */
  #wait: NodeJS.Timeout | null = null

  /** Has `one` dial in its turn. */
  queue(one: Dialler): void {
    this.#waiting.add(one)
    if (this.#why !== null) one.away(this.#why)
    this.#next()
  }

  /** `one` dials now, in its turn or because somebody waits for it. */
  begin(one: Dialler): void {
    this.#waiting.delete(one)
    clearTimeout(this.#dialling.get(one))
    this.#dialling.set(one, setTimeout(() => this.end(one), TURN_MS).unref())
  }

  /** `one` is synced, or its attempt has failed: the wait for a server that is away goes on. */
  end(one: Dialler): void {
    this.#waiting.delete(one)
    clearTimeout(this.#dialling.get(one))
    this.#dialling.delete(one)
    this.#next()
  }

  /** `one` is closed. */
  leave(one: Dialler): void {
    this.end(one)
    if (this.#waiting.size + this.#dialling.size === 0) this.#stopWait()
  }

  /** The server has answered. */
  there(): void {
    this.#why = null
    this.#tries = 0
    this.#stopWait()
    this.#next()
  }

  /** An attempt has not reached the server. */
  away(why: ClawError): void {
    this.#why = why
    this.#wait ??= setTimeout(
      () => {
        this.#wait = null
        this.#next()
      },
      backoffMs(++this.#tries, randomFraction()),
    )
    for (const one of [...this.#waiting]) one.away(why)
  }

  #stopWait(): void {
    if (this.#wait !== null) clearTimeout(this.#wait)
    this.#wait = null
  }

  #next(): void {
    const most = this.#why === null ? AT_ONCE : 1
    for (const one of this.#waiting) {
      if (this.#dialling.size >= most || this.#wait !== null) return
      this.begin(one)
      one.dial()
    }
  }
}

const all = new Map<string, Dials>()

/** The queue of this process for the server at `base`. */
export const dialsTo = (base: string): Dials => {
  const known = all.get(base) ?? new Dials()
  all.set(base, known)
  return known
}
