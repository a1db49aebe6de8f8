import { newMessageId } from '../../protocol/fresh-ids.ts'
import type { AgentId } from '../../protocol/ids.ts'
import { resolveAgent } from '../agents/agents.ts'
import { agentsOf } from '../document/schema.ts'
import { nextTrace } from '../inbox/mailbox.ts'
import {
  addBroadcast,
  type BroadcastMessage,
  broadcastMessage,
  type DirectMessage,
} from '../messages/broadcasts.ts'
import { type Actor, action, type Desk } from './action.ts'
import type { InputOf } from './inputs/field.ts'
import * as inputs from './inputs/talk.ts'

type Spoken = Omit<InputOf<typeof inputs.broadcast>, 'tags'> & { tags?: readonly string[] }

/**
 * Adds a message to all (null) or to one agent, in the chain of the message that it answers or that its sender received
 * before.
 */
const say = (desk: Desk, actor: Actor, to: AgentId | null, input: Spoken) => {
  const { content, topic, tags = [], reply_to: replyTo, reset_trace: reset } = input
  const now = actor.now()
  const answered = replyTo === undefined ? {} : { replyTo }
  const trace = nextTrace(desk, { to, reset, now, ...answered })
  const said = { id: newMessageId(), from: actor.agent, content, topic, tags, now, ...answered }
  return broadcastMessage(addBroadcast(desk.doc, { ...said, to: to ?? undefined, trace }))
}

export const broadcast = action({
  name: 'broadcast',
  roles: ['write', 'admin'],
  errors: ['bad_name', 'too_large', 'storm'],
  input: inputs.broadcast,
  run: async (
    actor,
    input,
  ): Promise<{ message: BroadcastMessage | DirectMessage; recipients: number }> => {
    const { reset_trace: _, ...payload } = input
    return actor.once({ payload, isEntry: true }, (desk) => {
      const message = say(desk, actor, null, input)
      return { message, recipients: agentsOf(desk.doc).size - 1 }
    })
  },
})

export const send = action({
  name: 'send',
  roles: ['write', 'admin'],
  errors: ['unknown_agent', 'ambiguous', 'bad_name', 'too_large', 'storm'],
  input: inputs.send,
  run: async (actor, input): Promise<{ message: BroadcastMessage | DirectMessage }> => {
    const { reset_trace: _, ...payload } = input
    return actor.once({ payload, isEntry: true }, (desk) => {
      const to = resolveAgent(desk.doc, input.to, actor.known)
      return { message: say(desk, actor, to, input) }
    })
  },
})
