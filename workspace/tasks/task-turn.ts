import type * as Y from 'yjs'
import type { AgentId } from '../../protocol/ids.ts'
import { isTakeable } from './task-routing.ts'
import { isTerminal } from './task-states.ts'
import { findEntry, type TaskEntry } from './tasks.ts'

/**
 * The next step of an agent that waits for a task. `ended`: read the result. `answer`: its owner asks. `approve`: its
 * result waits for this agent. `work`: this agent owns it, and it was not completed or was sent back. `take`: it was
 * given to this agent, which has not claimed it. `lost`: this agent owned it, and its lease is over.
 */
export type Turn = 'ended' | 'answer' | 'approve' | 'work' | 'take' | 'lost'

/** The turn of agent `me`; null: it is another's. */
export const turnOf = (doc: Y.Doc, entry: TaskEntry, me: AgentId): Turn | null => {
  const { facts, status } = entry
  const { state, owner, pending, lost = [] } = status
  if (isTerminal(state)) return 'ended'
  if (pending) return facts.approver === me ? 'approve' : null
  if (state === 'input-required') return facts.from === me ? 'answer' : null
  if (owner === me) return 'work'
  if (isOffered(doc, entry, me)) return 'take'
  return lost.includes(me) && facts.from !== me ? 'lost' : null
}

/** Tells whether a task was given to this agent alone, which could claim it now. */
export const isOffered = (doc: Y.Doc, entry: TaskEntry, me: AgentId): boolean =>
  entry.facts.to === me && isTakeable(doc, entry, me, (id) => findEntry(doc, id))
