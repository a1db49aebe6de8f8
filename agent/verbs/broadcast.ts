import { addBroadcast, broadcastMessage } from '../../workspace/broadcasts.ts'
import { newBroadcastId } from '../../workspace/ids.ts'
import { nextTrace } from '../../workspace/link/inbox.ts'
import { agentsOf } from '../../workspace/schema.ts'
import { randomBytes, type Verb } from '../call.ts'
import { mergingWrite } from '../team.ts'

export const broadcast: Verb = async (call) => {
  const replyTo = call.flag('reply-to')
  const facts = {
    content: call.body('content'),
    topic: call.flag('topic') ?? '',
    tags: call.list('tags'),
    ...(replyTo !== undefined && { replyTo }),
  }
  return mergingWrite(call, facts, (team) => {
    const { doc, replica } = team
    const now = Date.now()
    const from = team.me()
    const id = newBroadcastId(randomBytes)
    const trace = nextTrace(replica, replyTo, call.has('reset-trace'), now)
    const message = broadcastMessage(addBroadcast(doc, { ...facts, id, from, trace, now }))
    const recipients = agentsOf(doc).size - 1
    return {
      data: { message, recipients },
      lines: [`broadcast ${id} to ${recipients} other ${recipients === 1 ? 'agent' : 'agents'}`],
    }
  })
}
