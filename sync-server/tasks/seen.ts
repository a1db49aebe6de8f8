import { hasAgent, lastSeen, markSeen } from '../../workspace/agents/agents.ts'
import { readPresence } from '../../workspace/agents/presence.ts'
import type { Room } from '../sync/room.ts'

/** Shortest time between two writes of an agent's `lastSeenAt`: each stays in the document's history for ever. */
const SEEN_GRAIN_MS = 30_000

/** Writes `lastSeenAt` of an agent that appears or leaves. */
export const noteSeen = async (room: Room, before: string, after: string, now: number) => {
  const was = readPresence(JSON.parse(before))?.agent.id
  const is = readPresence(JSON.parse(after))?.agent.id
  if (was === is) return
  const agent = is ?? was
  if (agent === undefined || now - lastSeen(room.doc, agent) < SEEN_GRAIN_MS) return
  await room.command((doc) => {
    if (hasAgent(doc, agent)) markSeen(doc, agent, now)
  })
}
