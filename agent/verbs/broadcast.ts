import { addBroadcast } from '../../workspace/broadcasts.ts'
import { newBroadcastId } from '../../workspace/ids.ts'
import { agentsOf, isoTime } from '../../workspace/schema.ts'
import { randomBytes, type Verb } from '../call.ts'
import { mergingWrite } from '../team.ts'

export const broadcast: Verb = async (call) => {
  const facts = {
    content: call.body('content'),
    topic: call.flag('topic') ?? '',
    tags: call.list('tags'),
  }
  return mergingWrite(call, facts, (team) => {
    const { doc } = team
    const id = newBroadcastId(randomBytes)
    const { from, at, content, topic, tags } = addBroadcast(doc, {
      ...facts,
      id,
      from: team.me(),
      now: Date.now(),
    })
    const recipients = agentsOf(doc).size - 1
    const message = {
      type: 'knowledge_broadcast',
      message_id: id,
      from_agent: from,
      to_agent: null,
      timestamp: isoTime(at),
      content,
      topic,
      tags,
    }
    return {
      data: { message, recipients },
      lines: [`broadcast ${id} to ${recipients} other ${recipients === 1 ? 'agent' : 'agents'}`],
    }
  })
}
