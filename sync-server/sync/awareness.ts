import { LazyMap, LazySet } from '../../lib/lazy.ts'
import { type AwarenessEntry, CLOSE, WireError } from '../../protocol/frames.ts'
import type { Gate } from './gate.ts'
import { agentOf, type Principal } from './principal.ts'

const GONE = 'null'

/** The gate's knowledge of client ids. */
export type Ids = Pick<Gate, 'holderOf' | 'reserve' | 'release'>

interface Known extends AwarenessEntry {
  /** The connection that shows the state; null once it is closed. */
  owner: number | null
  /** The agent of the connection; null for the owner of the server. */
  agent: string | null
  /** Milliseconds since the epoch. */
  changedAt: number
}

/** The identity that a state shows; undefined for none. */
const shownIn = (json: string): unknown => {
  const state = JSON.parse(json) as { agent?: { id?: unknown } | null } | null
  if (typeof state !== 'object' || state?.agent === undefined) return undefined
  return state.agent?.id ?? null
}

/**
 * The largest clock step of a known client, and the largest first clock. A clock grows by one per change, so these allow
 * years of changes. Larger steps would soon exhaust the numbers, and the next user of the client id could not show itself.
 */
const MOST_CLOCKS = 2 ** 20
const FIRST_CLOCK = 2 ** 32

/** Substitute ids begin here; Yjs chooses ids of 32 bits. */
const FIRST_STAND_IN = 2 ** 32

/** A removed state keeps its clock this long (milliseconds), so that a late echo of it does not bring it back. */
const FORGET_MS = 10 * 60_000

/**
 * The awareness states of one room, by y-protocols' rules (the higher clock wins, `null` removes), with one more: a
 * connection has one client id. Stock clients send back every state that they receive, and remove peers that they consider
 * dead; such echoes are dropped, except from a client id's owner.
 *
 * The gate knows the owner of a client id: the agent that has written under it, else the agent that shows it, for which it
 * is reserved meanwhile. An agent that shows itself under another agent's id gets a substitute id, so that it cannot hide
 * the other agent.
 */
export class AwarenessStates {
  readonly #known = new LazyMap<number, Known>()
  readonly #clientOf = new LazyMap<number, number>()
  #changed = new LazySet<number>()
  /** The client id that a connection uses, and the one under which it is shown. */
  readonly #standIns = new LazyMap<number, { own: number; shown: number }>()
  #lastStandIn = FIRST_STAND_IN
  readonly #ids: Ids
  readonly #onChange: (before: string, after: string) => void

  /** `onChange` gets the JSON of one client's state before and after a change; `null` for none. */
  constructor(ids: Ids, onChange: (before: string, after: string) => void) {
    this.#ids = ids
    this.#onChange = onChange
  }

  /**
   * Applies an awareness message of `connection`. Throws WireError (`forged`) if it shows another
   * agent's identity.
   */
  apply(
    connection: number,
    speaker: Principal,
    entries: readonly AwarenessEntry[],
    now: number,
  ): void {
    const agent = agentOf(speaker)
    for (const sent of entries) {
      const entry = agent === null ? sent : this.#asShown(connection, agent, sent)
      if (entry === null || !this.#accepts(connection, entry, entries.length === 1)) continue
      const before = this.#known.get(entry.client)
      if (entry.clock > (before?.clock ?? FIRST_CLOCK) + MOST_CLOCKS) {
        throw new WireError(CLOSE.malformed, 'the clock of an awareness state leaps')
      }
      if (agent !== null && entry.json !== GONE) {
        const shown = shownIn(entry.json)
        if (shown !== undefined && shown !== agent) {
          throw new WireError(CLOSE.forged, 'shows itself as another agent')
        }
        if (entry === sent && !this.#ids.reserve(entry.client, agent)) continue
      }
      const back = before !== undefined && before.owner === null && entry.clock <= before.clock
      // After a reconnect a stock client repeats its state at its old clock, which peers that saw it go
      // would ignore: it comes back one clock later, and the client itself adopts that.
      this.#set(back ? { ...entry, clock: before.clock + 1 } : entry, connection, agent, now)
    }
  }

  /**
   * The entry under the id by which its connection is shown; null for an echo of another client's
   * state.
   */
  #asShown(connection: number, agent: string, entry: AwarenessEntry): AwarenessEntry | null {
    const { client, json } = entry
    const standIn = this.#standIns.get(connection)
    if (standIn?.own !== client) {
      if (this.#isFor(agent, client)) return entry
      if (this.#clientOf.has(connection) || shownIn(json) !== agent) return null
    }
    const shown = standIn?.shown ?? this.#newStandIn()
    this.#standIns.set(connection, { own: client, shown })
    // The id's owner may have used any clock before.
    return { client: shown, clock: (this.#known.get(shown)?.clock ?? 0) + 1, json }
  }

  /** True if an agent may show itself under this client id. */
  #isFor(agent: string, client: number): boolean {
    const holder = this.#ids.holderOf(client)
    if (holder !== undefined) return holder === agent
    const known = this.#known.get(client)
    return known === undefined || known.agent === agent
  }

  #newStandIn(): number {
    do this.#lastStandIn++
    while (
      this.#known.has(this.#lastStandIn) ||
      this.#ids.holderOf(this.#lastStandIn) !== undefined
    )
    return this.#lastStandIn
  }

  #accepts(connection: number, { client, clock, json }: AwarenessEntry, alone: boolean): boolean {
    const known = this.#known.get(client)
    const own = this.#clientOf.get(connection)
    if (own === client) return known !== undefined && clock > known.clock
    if (own !== undefined || json === GONE || !alone) return false
    return known === undefined || known.owner === null || clock > known.clock
  }

  #set(entry: AwarenessEntry, owner: number, agent: string | null, now: number): void {
    const before = this.#known.get(entry.client)
    const gone = entry.json === GONE
    if (before !== undefined && before.owner !== null && before.owner !== owner) {
      this.#clientOf.delete(before.owner)
    }
    if (gone) {
      this.#clientOf.delete(owner)
      this.#ids.release(entry.client)
    } else this.#clientOf.set(owner, entry.client)
    this.#known.set(entry.client, { ...entry, owner: gone ? null : owner, agent, changedAt: now })
    this.#changed.add(entry.client)
    if (before?.json !== entry.json) this.#onChange(before?.json ?? GONE, entry.json)
  }

  /** Removes the state of a closed connection. */
  drop(connection: number, now: number): void {
    this.#standIns.delete(connection)
    const client = this.#clientOf.get(connection)
    const known = client === undefined ? undefined : this.#known.get(client)
    if (known === undefined) return
    const { clock, agent } = known
    this.#set({ client: known.client, clock: clock + 1, json: GONE }, connection, agent, now)
  }

  /** The states that changed since the last call. */
  takeChanged(): AwarenessEntry[] {
    const changed = [...this.#changed].map((client) => this.#known.get(client)!)
    this.#changed = new LazySet()
    return changed
  }

  get hasChanged(): boolean {
    return this.#changed.size > 0
  }

  /** The states of all present clients. */
  present(): AwarenessEntry[] {
    return [...this.#known.values()].filter(({ json }) => json !== GONE)
  }

  forgetOld(now: number): void {
    for (const [client, { owner, changedAt }] of this.#known) {
      if (owner === null && now - changedAt > FORGET_MS) this.#known.delete(client)
    }
  }
}
