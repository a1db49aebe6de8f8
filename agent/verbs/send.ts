import { agentName, resolveAgent } from '../../workspace/agents.ts'
import { addBroadcast, broadcastMessage } from '../../workspace/broadcasts.ts'
import { newBroadcastId } from '../../workspace/ids.ts'
import { nextTrace } from '../../workspace/link/inbox.ts'
import { randomBytes, type Verb } from '../call.ts'
import { mergingWrite } from '../team.ts'
import { oneLine } from '../text.ts'

export const send: Verb = async (call) => {
  const replyTo = call.flag('reply-to')
  const facts = {
    to: call.flag('to')!,
    content: call.body('content'),
    topic: call.flag('topic') ?? '',
    ...(replyTo !== undefined && { replyTo }),
  }
  return mergingWrite(call, facts, (team) => {
    const { doc, replica } = team
    const now = Date.now()
    const to = resolveAgent(doc, facts.to)
    const id = newBroadcastId(randomBytes)
    const trace = nextTrace(replica, replyTo, call.has('reset-trace'), now)
    const entry = addBroadcast(doc, { ...facts, id, from: team.me(), to, tags: [], trace, now })
    return {
      data: { message: broadcastMessage(entry) },
      lines: [oneLine(`sent ${id} to ${agentName(doc, to)} (${to})`)],
    }
  })
}
