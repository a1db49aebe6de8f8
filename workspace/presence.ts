import type { AgentId } from './ids.ts'

/** A peer's awareness state. */
export interface Presence {
  agent: { id: AgentId; name: string; kind: 'agent' | 'person' }
  activity?: { state: string; task?: string; note?: string }
}

export type AgentStatus = 'online' | 'stale' | 'offline'

/** Someone without a connection counts as here for this long after the server last saw them. */
export const ONLINE_FOR_MS = 120_000
/** After this long unseen an agent is no longer stale but offline. */
export const STALE_FOR_MS = 24 * 60 * 60_000

/** `present`: has a live connection. `lastSeenAt`, `now`: milliseconds since the epoch. */
export const agentStatus = (present: boolean, lastSeenAt: number, now: number): AgentStatus => {
  if (present || now - lastSeenAt < ONLINE_FOR_MS) return 'online'
  return now - lastSeenAt < STALE_FOR_MS ? 'stale' : 'offline'
}

/** Reads an untrusted awareness state; null where it names no agent. */
export const readPresence = (state: unknown): Presence | null => {
  const agent = (state as { agent?: Partial<Presence['agent']> } | null)?.agent
  if (typeof agent?.id !== 'string' || typeof agent.name !== 'string') return null
  return state as Presence
}

/** The ids of all agents that have a live connection. */
export const presentAgents = (states: Iterable<unknown>): Set<AgentId> => {
  const present = new Set<AgentId>()
  for (const state of states) {
    const presence = readPresence(state)
    if (presence !== null) present.add(presence.agent.id)
  }
  return present
}
