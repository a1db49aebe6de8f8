import type * as Y from 'yjs'
import type { AgentId, FileId } from '../../protocol/ids.ts'
import { shownName } from '../document/names.ts'
import { agentRecord } from '../document/shape.ts'

/** The activity that a connected agent reports. `idle`: connected, without a recent command. */
export interface Activity {
  state: 'active' | 'idle'
  /**
   * Time without a command after which an agent no longer counts as working: the leases of its
   * tasks run (SILENT_AFTER_MS).
   */
  silent?: true
  note?: string
  task?: string
}

/** A range of a file, from `anchor` to `head`: Yjs relative positions as JSON. */
export interface FileCursor {
  file: FileId
  anchor: unknown
  head: unknown
}

/** A range of a file that a peer announces to change. */
export interface Intent extends FileCursor {
  note: string
  /** Milliseconds since the epoch at which it is forgotten, by the peer's clock. */
  until: number
}

/** A peer's awareness state. */
export interface Presence {
  agent: { id: AgentId; name: string; kind: 'agent' | 'person' }
  activity?: Activity
  cursor?: FileCursor
  intents?: Intent[]
}

export type AgentStatus = 'online' | 'idle' | 'stale' | 'offline'

/** A connected agent is idle after this long without a command. */
export const IDLE_AFTER_MS = 5 * 60_000
/** A connected agent without a command for this long may be gone although its link is not. */
export const SILENT_AFTER_MS = 60 * 60_000
/** After this long unseen an agent is offline. */
export const OFFLINE_AFTER_MS = 120_000

/** Presence may arrive this much later than the record of an agent that registers. */
export const PRESENCE_LAG_MS = 5_000

/**
 * The field `link` of an agent's record. `up`: a link keeps it connected, so a missing connection
 * is a fault. `down`: it has left. null: it connects for one command at a time.
 */
export type LinkState = 'up' | 'down' | null

export const asLinkState = (link: unknown): LinkState =>
  link === 'up' || link === 'down' ? link : null

/** Notes how an agent connects; does nothing where that is unchanged or the agent is unknown. */
export const setLinkState = (doc: Y.Doc, id: AgentId, state: LinkState): void => {
  const record = agentRecord(doc, id)
  if (record === undefined || asLinkState(record.get('link')) === state) return
  if (state === null) record.delete('link')
  else record.set('link', state)
}

/** `activity`: of an agent that has a live connection; null: it has none, and was last seen `unseenMs` ago. */
export const agentStatus = (
  activity: Activity | null,
  link: LinkState,
  unseenMs: number,
): AgentStatus => {
  if (activity !== null) return activity.state === 'idle' ? 'idle' : 'online'
  if (link === 'down' || unseenMs >= OFFLINE_AFTER_MS) return 'offline'
  return link === 'up' ? 'stale' : 'online'
}

/** Reads an untrusted awareness state; null where it names no agent. */
export const readPresence = (state: unknown): Presence | null => {
  const agent = (state as { agent?: Partial<Presence['agent']> } | null)?.agent
  if (typeof agent?.id !== 'string' || typeof agent.name !== 'string') return null
  const { cursor, intents } = state as Partial<Presence>
  return {
    ...(state as Presence),
    agent: { ...agent, name: shownName(agent.name) },
    cursor: typeof cursor === 'object' && cursor !== null ? cursor : undefined,
    intents: Array.isArray(intents) ? intents : undefined,
  } as Presence
}

const readActivity = (activity: unknown): Activity => {
  const { state, note, task } = (activity ?? {}) as Partial<Activity>
  return {
    state: state === 'idle' ? 'idle' : 'active',
    ...(typeof note === 'string' && { note }),
    ...(typeof task === 'string' && { task }),
  }
}

/** All agents with a live connection and their activity; of several connections an active one. */
export const activities = (states: Iterable<unknown>): Map<AgentId, Activity> => {
  const found = new Map<AgentId, Activity>()
  for (const state of states) {
    const presence = readPresence(state)
    if (presence === null) continue
    const { id } = presence.agent
    const activity = readActivity(presence.activity)
    if (found.get(id) === undefined || activity.state === 'active') found.set(id, activity)
  }
  return found
}
