import { newMessageId } from '../../../protocol/fresh-ids.ts'
import { say } from '../../../workspace/actions/saying.ts'
import type { Verb } from '../../command/call.ts'
import { mergingWrite } from '../../command/workspace-session.ts'

export const broadcast: Verb = async (call) => {
  const replyTo = call.flag('reply-to')
  const facts = {
    content: call.body('content'),
    topic: call.flag('topic') ?? '',
    tags: call.list('tags'),
    ...(replyTo !== undefined && { replyTo }),
  }
  return mergingWrite(call, facts, (team) => {
    const id = newMessageId()
    const said = { ...facts, id, from: team.me(), now: team.now() }
    const { message, recipients } = say(team.replica, said, call.has('reset-trace'))
    return {
      data: { message, recipients },
      lines: [`broadcast ${id} to ${recipients} other ${recipients === 1 ? 'agent' : 'agents'}`],
    }
  })
}
