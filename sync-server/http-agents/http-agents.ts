import { randomInt } from 'node:crypto'
import type { AgentId } from '../../protocol/ids.ts'
import { agentName, type Here, hasAgent, hereOf, kindOf } from '../../workspace/agents/agents.ts'
import { type Activity, activities } from '../../workspace/agents/presence.ts'
import { isBroadcast } from '../../workspace/document/shape.ts'
import { readArchived } from '../../workspace/inbox/archive.ts'
import type { Archives } from '../../workspace/inbox/mailbox.ts'
import { HTTP_AGENT_LOOK_MS, HTTP_AGENT_PRESENT_MS, PAGE_BYTES } from '../config/limits.ts'
import type { UpdateLog } from '../storage/update-log.ts'
import type { Caller } from '../sync/principal.ts'
import type { Room } from '../sync/room.ts'
import { archivePage } from '../tasks/archived.ts'
import { HttpAgent } from './http-agent.ts'

/** The presence of one HTTP agent, as the others see it. */
interface Presence {
  /** The number that stands for its connection. */
  number: number
  client: number
  clock: number
  shown: string
  seenAt: number
  /** Requests and sockets that are open. */
  open: number
  activity: Omit<Activity, 'state'>
}

/** The HTTP agents of one room. */
interface PresenceRegistry {
  httpAgents: Map<AgentId, HttpAgent>
  present: Map<AgentId, Presence>
  /** Wakes the requests that wait for a message. */
  waiting: Set<() => void>
  looking: NodeJS.Timeout | undefined
  /** Running requests (count): the room must stay in memory. */
  busy: number
}

const LEAVING_MS = 1_000
/** Awareness numbers of HTTP agents: below 0, where no connection's are. */
let lastNumber = 0

/** The HTTP agents by room, with their presence and their waiting requests. */
export class HttpAgents {
  readonly #log: UpdateLog
  readonly #now: () => number
  readonly #spent: (by: Caller, ms: number) => void
  readonly #halls = new Map<Room, PresenceRegistry>()
  readonly #leaving: NodeJS.Timeout
  readonly #soon = new Set<() => Promise<void>>()
  readonly #ending = new AbortController()

  /** `spent` gets the time that an agent's work took (milliseconds). */
  constructor(
    log: UpdateLog,
    now: () => number,
    spent: (by: Caller, ms: number) => void = () => {},
  ) {
    this.#spent = spent
    this.#log = log
    this.#now = now
    this.#leaving = setInterval(() => this.lookWhoLeft(), LEAVING_MS)
    this.#leaving.unref()
  }

  #hall(room: Room): PresenceRegistry {
    let hall = this.#halls.get(room)
    if (hall === undefined) {
      hall = {
        httpAgents: new Map(),
        present: new Map(),
        waiting: new Set(),
        looking: undefined,
        busy: 0,
      }
      this.#halls.set(room, hall)
    }
    return hall
  }

  /** The HTTP agent that acts for an agent in a loaded room. */
  httpAgent(room: Room, agent: AgentId): HttpAgent {
    const { httpAgents } = this.#hall(room)
    let httpAgent = httpAgents.get(agent)
    if (httpAgent === undefined) {
      const archives = this.#archives(room.name, agent)
      const here = () => this.here(room)
      const wake = () => this.committed(room)
      httpAgent = new HttpAgent(room, agent, {
        ...{ facts: this.#log.facts, now: this.#now },
        ...{ here, archives, wake, spent: this.#spent },
      })
      httpAgents.set(agent, httpAgent)
    }
    return httpAgent
  }

  #archives(workspace: string, agent: AgentId): Archives {
    return {
      broadcasts: async (after) => {
        const found = await this.#log.archived(workspace, 'broadcasts', after, 500, PAGE_BYTES)
        const entries = found.flatMap(({ seq, value }) => {
          const { client, clock, entry } = readArchived(value)
          return isBroadcast(entry) ? [{ seq, client, clock, entry }] : []
        })
        return { entries, next: found.at(-1)?.seq ?? after }
      },
      tasks: (after) => archivePage(this.#log, workspace, after, agent),
    }
  }

  /** The agents that are present, connected or by HTTP. */
  here(room: Room): Here {
    return hereOf(() => activities(room.present.map((json) => JSON.parse(json))), this.#now())
  }

  /**
   * Records a request of an agent, which is present for `HTTP_AGENT_PRESENT_MS` from now on.
   * `activity`: its own description of its work.
   */
  seen({ room, agent }: HttpAgent, activity?: Presence['activity']): void {
    if (!hasAgent(room.doc, agent)) return
    const { present } = this.#hall(room)
    let one = present.get(agent)
    if (one === undefined) {
      const client = randomInt(1, 2 ** 32)
      one = { number: --lastNumber, client, clock: 0, shown: '', seenAt: 0, open: 0, activity: {} }
      present.set(agent, one)
    }
    one.seenAt = this.#now()
    one.activity = activity ?? one.activity
    const json = JSON.stringify({
      agent: { id: agent, name: agentName(room.doc, agent), kind: kindOf(room.doc, agent) },
      activity: { state: 'active', ...one.activity },
    })
    if (json === one.shown) return
    one.shown = json
    const speaker = { kind: 'agent', agent, workspace: room.name, role: 'write' } as const
    room.show(one.number, speaker, { client: one.client, clock: ++one.clock, json })
  }

  /** True if a message reaches the agent at once: it has a connection or a waiting request. */
  isConnected(room: Room, agent: AgentId): boolean {
    const one = this.#hall(room).present.get(agent)
    return one === undefined ? this.here(room).present.has(agent) : one.open > 0
  }

  /** Ends the waiting requests of an agent whose credential ended. */
  ended(agent: string, workspace: string): void {
    for (const [room, { httpAgents }] of this.#halls) {
      if (room.name === workspace) httpAgents.get(agent as AgentId)?.end()
    }
  }

  /** Keeps an agent present until the returned function is called. */
  enter(httpAgent: HttpAgent): () => void {
    this.seen(httpAgent)
    const one = this.#hall(httpAgent.room).present.get(httpAgent.agent)
    if (one === undefined) return () => {}
    one.open++
    return () => {
      one.open--
      one.seenAt = this.#now()
    }
  }

  /** Removes the presence of agents without a recent request. */
  lookWhoLeft(): void {
    const until = this.#now() - HTTP_AGENT_PRESENT_MS
    for (const [room, { present }] of this.#halls) {
      for (const [agent, { number, seenAt, open }] of present) {
        if (open > 0 || seenAt > until) continue
        present.delete(agent)
        room.show(number, { kind: 'owner' }, null)
      }
    }
  }

  /** Resolves when there may be a new message, or the signal aborts. */
  news(room: Room, signal: AbortSignal): Promise<void> {
    const { waiting } = this.#hall(room)
    return new Promise((resolve) => {
      const wake = (): void => {
        waiting.delete(wake)
        signal.removeEventListener('abort', wake)
        resolve()
      }
      if (signal.aborted) return resolve()
      waiting.add(wake)
      signal.addEventListener('abort', wake)
    })
  }

  /** Wakes the waiting requests after a change of the room's document, or of a message's state. */
  committed(room: Room): void {
    const hall = this.#halls.get(room)
    if (hall === undefined || hall.waiting.size === 0 || hall.looking !== undefined) return
    hall.looking = setTimeout(() => {
      hall.looking = undefined
      for (const wake of [...hall.waiting]) wake()
    }, HTTP_AGENT_LOOK_MS)
  }

  /** Runs `work` with a room, which stays loaded until it ends. */
  async within<T>(room: Room, work: () => Promise<T>): Promise<T> {
    const hall = this.#hall(room)
    hall.busy++
    try {
      return await work()
    } finally {
      hall.busy--
    }
  }

  /** True if an agent is present by HTTP, so that the room must stay in memory. */
  keeps(room: Room): boolean {
    const hall = this.#halls.get(room)
    return hall !== undefined && hall.present.size + hall.busy > 0
  }

  /** Drops the state of a room that leaves memory. */
  forget(room: Room): void {
    const hall = this.#halls.get(room)
    if (hall === undefined) return
    this.#halls.delete(room)
    clearTimeout(hall.looking)
    for (const wake of [...hall.waiting]) wake()
  }

  /** Does something after a while, unless it is to be done now, or not any more. */
  soon(ms: number, work: () => Promise<void>): { now: () => void; cancel: () => boolean } {
    const cancel = (): boolean => {
      clearTimeout(timer)
      return this.#soon.delete(now)
    }
    const now = async (): Promise<void> => {
      if (cancel()) await work()
    }
    const timer = setTimeout(() => void now(), ms)
    this.#soon.add(now)
    return { now: () => void now(), cancel }
  }

  /** Does now all that was to be done soon. */
  async settle(): Promise<void> {
    await Promise.all([...this.#soon].map((now) => now()))
  }

  /** Aborts when the server stops, and ends the waiting requests. */
  get ending(): AbortSignal {
    return this.#ending.signal
  }

  close(): void {
    clearInterval(this.#leaving)
    this.#ending.abort()
    for (const room of [...this.#halls.keys()]) this.forget(room)
  }
}
