import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import { type Awareness, outdatedTimeout } from 'y-protocols/awareness'

/** The JSON of a state that is gone. */
const GONE = new TextEncoder().encode('null')

interface Entry {
  clock: number
  json: Uint8Array
  /** Time of arrival (milliseconds since the epoch). */
  at: number
}

const isGone = (json: Uint8Array): boolean =>
  json.length === GONE.length && GONE.every((byte, i) => json[i] === byte)

const updateOf = (entries: Iterable<readonly [number, Entry]>, count: number): Uint8Array =>
  encoding.encode((encoder) => {
    encoding.writeVarUint(encoder, count)
    for (const [client, { clock, json }] of entries) {
      encoding.writeVarUint(encoder, client)
      encoding.writeVarUint(encoder, clock)
      encoding.writeVarUint8Array(encoder, json)
    }
  })

/**
 * Awareness states that have come and that nobody has asked for: the newest of each client, unparsed. The profiles of a
 * link get the states of all agents each, at every return and then every 15 s, and hardly ever read one.
 */
export class UnreadStates {
  readonly #awareness: Awareness
  readonly #entries = new Map<number, Entry>()

  constructor(awareness: Awareness) {
    this.#awareness = awareness
  }

  /** Keeps the states of an awareness update that came at `now`. Returns the update of the own state; null: it has none. */
  take(update: Uint8Array, now: number): Uint8Array | null {
    const { clientID } = this.#awareness
    let own: Uint8Array | null = null
    const decoder = decoding.createDecoder(update)
    for (let left = decoding.readVarUint(decoder); left > 0; left--) {
      const client = decoding.readVarUint(decoder)
      const clock = decoding.readVarUint(decoder)
      // Written as a string: length and UTF-8, as bytes are.
      const entry = { clock, json: decoding.readVarUint8Array(decoder), at: now }
      if (client === clientID) own = updateOf([[client, entry]], 1)
      else this.#keep(client, entry)
    }
    return own
  }

  #keep(client: number, entry: Entry): void {
    const known = this.#entries.get(client)
    const isNew = known === undefined || entry.clock > known.clock
    if (!isNew && (entry.clock < known.clock || !isGone(entry.json))) return
    if (isGone(entry.json) && !this.#awareness.states.has(client)) this.#entries.delete(client)
    else this.#entries.set(client, entry)
  }

  /** Hands over all as one update, without those that were not renewed in time; null: there are none. */
  read(now: number): Uint8Array | null {
    if (this.#entries.size === 0) return null
    const valid = [...this.#entries].filter(([, { at }]) => now - at < outdatedTimeout)
    this.#entries.clear()
    return updateOf(valid, valid.length)
  }

  /** The connection has ended: nobody is known to be there. */
  clear(): void {
    this.#entries.clear()
  }
}
