import { LazyMap } from '../../lib/lazy.ts'
import type { AgentId } from '../../protocol/ids.ts'
import { hasAgent, lastSeen, markSeen } from '../../workspace/agents/agents.ts'
import { readPresence } from '../../workspace/agents/presence.ts'
import type { Room } from '../sync/room.ts'

/** Shortest time between two writes of an agent's `lastSeenAt`: each stays in the document's history for ever. */
const SEEN_GRAIN_MS = 30_000
/** Rest between two writes in one workspace (milliseconds): every replica applies each, and after a restart all come. */
const REST_MS = 1_000

/**
 * Writes `lastSeenAt` of the agents of one workspace that appear or leave: of the first one at once, of those that
 * follow within REST_MS together.
 */
export class SeenNotes {
  readonly #room: Pick<Room, 'doc' | 'command'>
  readonly #now: () => number
  readonly #onError: (error: unknown) => void
  #waiting = new LazyMap<AgentId, number>()
  #rest: NodeJS.Timeout | null = null

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
    if (this.#rest === null) this.#write()
  }

  /** Writes what waits, and rests no more. */
  close(): void {
    if (this.#rest !== null) clearTimeout(this.#rest)
    this.#rest = null
    if (this.#waiting.size > 0) this.#command()
  }

  #write(): void {
    this.#rest = null
    if (this.#waiting.size === 0) return
    this.#command()
    this.#rest = setTimeout(() => this.#write(), REST_MS).unref()
  }

  #command(): void {
    const seen = this.#waiting
    this.#waiting = new LazyMap()
    this.#room
      .command((doc) => {
        for (const [agent, at] of seen) if (hasAgent(doc, agent)) markSeen(doc, agent, at)
      })
      .catch(this.#onError)
  }
}
