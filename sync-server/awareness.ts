import { agentOf, type Speaker } from './access/speaker.ts'
import { type AwarenessEntry, CLOSE, WireError } from './wire.ts'

const GONE = 'null'

interface Known extends AwarenessEntry {
  /** The connection it speaks through; null once it is gone. */
  owner: number | null
  /** Whose it is; null: the owner's of the server. */
  agent: string | null
  /** Milliseconds since the epoch. */
  changedAt: number
}

/** Whether a state, which may show anything else or nothing, shows no identity but this one. */
const isOf = (json: string, agent: string): boolean => {
  const state = JSON.parse(json) as { agent?: { id?: unknown } | null } | null
  if (typeof state !== 'object' || state?.agent === undefined) return true
  return state.agent?.id === agent
}

/** How long a state that is gone keeps its clock, so that a late echo of it does not bring it back. */
const FORGET_MS = 10 * 60_000

/**
 * The awareness states of one room, by y-protocols' rules (the higher clock wins, `null` is gone), with one more:
 * a connection speaks for one client id, its own. Stock clients send back every state that they receive, and
 * remove peers that they take for dead; from anyone but the owner that is an echo, and it is dropped.
 */
export class AwarenessStates {
  readonly #known = new Map<number, Known>()
  readonly #clientOf = new Map<number, number>()
  #changed = new Set<number>()
  readonly #onChange: (before: string, after: string) => void

  /** `onChange` gets the JSON of one client's state before and after a change; `null` where there is none. */
  constructor(onChange: (before: string, after: string) => void) {
    this.#onChange = onChange
  }

  /** Takes in what `connection` sent. Throws WireError (`forged`) where it shows itself as somebody else. */
  apply(
    connection: number,
    speaker: Speaker,
    entries: readonly AwarenessEntry[],
    now: number,
  ): void {
    const agent = agentOf(speaker)
    for (const entry of entries) {
      const known = this.#known.get(entry.client)
      // An echo of somebody else's, however late.
      if (agent !== null && known !== undefined && known.agent !== agent) continue
      if (this.#accepts(connection, entry, entries.length === 1)) {
        if (agent !== null && !isOf(entry.json, agent)) {
          throw new WireError(CLOSE.forged, 'shows itself as another agent')
        }
        const before = this.#known.get(entry.client)
        const back = before !== undefined && before.owner === null && entry.clock <= before.clock
        // After a reconnect a stock client repeats its state at its old clock, which peers that saw it go
        // would ignore: it comes back one clock later, and the client itself adopts that.
        this.#set(back ? { ...entry, clock: before.clock + 1 } : entry, connection, agent, now)
      }
    }
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
    if (gone) this.#clientOf.delete(owner)
    else this.#clientOf.set(owner, entry.client)
    this.#known.set(entry.client, { ...entry, owner: gone ? null : owner, agent, changedAt: now })
    this.#changed.add(entry.client)
    if (before?.json !== entry.json) this.#onChange(before?.json ?? GONE, entry.json)
  }

  /** The connection is gone, and its state with it. */
  drop(connection: number, now: number): void {
    const client = this.#clientOf.get(connection)
    const known = client === undefined ? undefined : this.#known.get(client)
    if (known === undefined) return
    const { clock, agent } = known
    this.#set({ client: known.client, clock: clock + 1, json: GONE }, connection, agent, now)
  }

  /** What changed since the last call. */
  takeChanged(): AwarenessEntry[] {
    const changed = [...this.#changed].map((client) => this.#known.get(client)!)
    this.#changed = new Set()
    return changed
  }

  get hasChanged(): boolean {
    return this.#changed.size > 0
  }

  /** The states of all who are here. */
  present(): AwarenessEntry[] {
    return [...this.#known.values()].filter(({ json }) => json !== GONE)
  }

  forgetOld(now: number): void {
    for (const [client, { owner, changedAt }] of this.#known) {
      if (owner === null && now - changedAt > FORGET_MS) this.#known.delete(client)
    }
  }
}
