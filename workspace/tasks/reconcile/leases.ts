import type * as Y from 'yjs'
import type { AgentId } from '../../../protocol/ids.ts'
import { MAX_ATTEMPTS } from '../../../protocol/limits.ts'
import { agentName } from '../../agents/agents.ts'
import type { TaskStatus } from '../../document/schema.ts'
import type { TaskEntry } from '../tasks.ts'
import type { ServerStep, TaskWorld } from './world.ts'

/** When the owner's lease ends (milliseconds since the epoch): it is renewed while the owner is seen at work. */
export const leaseOf = (
  { at }: TaskStatus,
  owner: AgentId,
  { lastSeen, leaseMs }: TaskWorld,
): number => Math.max(at, lastSeen(owner)) + leaseMs

/** The step of a task whose lease has ended: back to the queue, or failed after its last attempt. */
export const stepAfterLease = (
  doc: Y.Doc,
  { facts, status }: TaskEntry,
  owner: AgentId,
): ServerStep => {
  const ended = (status.ended ?? 0) + 1
  const lost = [...new Set([...(status.lost ?? []), owner])]
  const most = facts.maxAttempts ?? MAX_ATTEMPTS
  const who = `${agentName(doc, owner)} (${owner})`
  const message = `the lease of ${who} ended: attempt ${ended} of ${most} without a result`
  const step = { owner: null, message, more: { ended, lost } }
  return ended >= most
    ? { ...step, state: 'failed', event: 'attempts' }
    : { ...step, state: 'submitted', event: 'lease-lost' }
}
