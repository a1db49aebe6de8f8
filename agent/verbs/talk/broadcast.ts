import * as actions from '../../../workspace/actions/speak.ts'
import { inputOf } from '../../command/action-input.ts'
import type { Verb } from '../../command/call.ts'
import { act } from '../../command/replica-actor.ts'

export const broadcast: Verb = async (call) => {
  const given = { content: call.body('content') }
  const input = inputOf(call, actions.broadcast.input, given)
  return act(call, actions.broadcast, input, ({ message, recipients }) => {
    const others = recipients === 1 ? 'agent' : 'agents'
    return { lines: [`broadcast ${message.message_id} to ${recipients} other ${others}`] }
  })
}
