import { LazyMap } from '../../lib/lazy.ts'
import type { AgentId } from '../../protocol/ids.ts'
import { hasAgent, lastSeen, markSeen } from '../../workspace/agents/agents.ts'
import { readPresence } from '../../workspace/agents/presence.ts'
import type { Room } from '../sync/room.ts'

/** Shortest time between two writes of an agent's `lastSeenAt`: each stays in the document's history for ever. */
const SEEN_GRAIN_MS = 30_000
/** Rest between two writes in one workspace (milliseconds): every replica applies each. */
const REST_MS = 1_000
/**
 * The same while agents only come, as all do after a restart (milliseconds): their presence says that they are here, and
 * nobody reads when they were last seen until they go.
 */
const COMING_REST_MS = 10_000

/**
 * Writes `lastSeenAt` of the agents of one workspace that appear or leave: of the first one at once, of those that
 * follow within the rest together.
 */
export class SeenNotes {
  readonly #room: Pick<Room, 'doc' | 'command'>
  readonly #now: () => number
  readonly #onError: (error: unknown) => void
  #waiting = new LazyMap<AgentId, number>()
  /** Time of the last write; as `now`. */
  #wroteAt = -Infinity
  #next: { at: number; timer: NodeJS.Timeout } | null = null

  constructor(
    room: Pick<Room, 'doc' | 'command'>,
    now: () => number,
    onError: (error: unknown) => void,
  ) {
    this.#room = room
    this.#now = now
    this.#onError = onError
  }

  /** One client's awareness state changed; JSON, `null` for none. */
  changed(before: string, after: string): void {
    const was = readPresence(JSON.parse(before))?.agent.id
    const is = readPresence(JSON.parse(after))?.agent.id
    const agent = is ?? was
    if (was === is || agent === undefined) return
    const now = this.#now()
    if (now - lastSeen(this.#room.doc, agent) < SEEN_GRAIN_MS) return
    this.#waiting.set(agent, now)
    const rest = is === undefined ? REST_MS : COMING_REST_MS
    this.#writeIn(Math.min(rest, this.#wroteAt + rest - now), now)
  }

  /** Writes what waits, and rests no more. */
  close(): void {
    if (this.#waiting.size > 0) this.#write()
  }

  #writeIn(ms: number, now: number): void {
    if (ms <= 0) {
      this.#write()
      return
    }
    if (this.#next !== null && this.#next.at <= now + ms) return
    clearTimeout(this.#next?.timer)
    this.#next = { at: now + ms, timer: setTimeout(() => this.#write(), ms).unref() }
  }

  #write(): void {
    clearTimeout(this.#next?.timer)
    this.#next = null
    this.#wroteAt = this.#now()
    const seen = this.#waiting
    this.#waiting = new LazyMap()
    this.#room
      .command((doc) => {
        for (const [agent, at] of seen) if (hasAgent(doc, agent)) markSeen(doc, agent, at)
      })
      .catch(this.#onError)
  }
}
