import { newMessageId } from '../../../protocol/fresh-ids.ts'
import { say } from '../../../workspace/actions/saying.ts'
import type { Verb } from '../../command/call.ts'
import { named } from '../../command/text.ts'
import { mergingWrite } from '../../command/workspace-session.ts'

export const send: Verb = async (call) => {
  const replyTo = call.flag('reply-to')
  const facts = {
    to: call.flag('to')!,
    content: call.body('content'),
    topic: call.flag('topic') ?? '',
    ...(replyTo !== undefined && { replyTo }),
  }
  return mergingWrite(call, facts, (team) => {
    const id = newMessageId()
    const said = { ...facts, tags: [], id, from: team.me(), now: team.now() }
    const { message } = say(team.replica, said, call.has('reset-trace'), team.known)
    const to = message.to_agent!
    return {
      data: { message },
      lines: [`sent ${id} to ${named(team.doc, to)}`],
    }
  })
}
