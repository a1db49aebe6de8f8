import type { AgentId, BroadcastId } from '../../protocol/ids.ts'
import { type Here, resolveAgent } from '../agents/agents.ts'
import { agentsOf } from '../document/schema.ts'
import { nextTrace, type Talker } from '../inbox/mailbox.ts'
import {
  addBroadcast,
  type BroadcastMessage,
  broadcastMessage,
  type DirectMessage,
} from '../messages/broadcasts.ts'

export interface Saying {
  id: BroadcastId
  from: AgentId
  /** By id or name; absent: to everybody. */
  to?: string | undefined
  content: string
  topic: string
  tags: readonly string[]
  replyTo?: string | undefined
  now: number
}

/**
 * Says something to all or to one, in the chain of what it answers and of what its sender was handed before; `reset` begins
 * a new one. Throws `unknown_agent`, `ambiguous`, `storm`, and what `addBroadcast` throws.
 */
export const say = (
  talker: Talker,
  { to, ...said }: Saying,
  reset: boolean,
  here?: Here,
): { message: BroadcastMessage | DirectMessage; recipients: number } => {
  const { doc } = talker
  const addressee = to === undefined ? undefined : resolveAgent(doc, to, here)
  const { replyTo, now } = said
  const trace = nextTrace(talker, {
    ...{ to: addressee ?? null, reset, now },
    ...(replyTo !== undefined && { replyTo }),
  })
  const message = broadcastMessage(addBroadcast(doc, { ...said, to: addressee, trace }))
  return { message, recipients: addressee === undefined ? agentsOf(doc).size - 1 : 1 }
}
