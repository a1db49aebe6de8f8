import * as actions from '../../../workspace/actions/speak.ts'
import { inputOf } from '../../command/action-input.ts'
import type { Verb } from '../../command/call.ts'
import { act } from '../../command/replica-actor.ts'
import { named } from '../../command/text.ts'

export const send: Verb = async (call) => {
  const given = { content: call.body('content') }
  const input = inputOf(call, actions.send.input, given)
  return act(call, actions.send, input, ({ message }, { doc }) => ({
    lines: [`sent ${message.message_id} to ${named(doc, message.to_agent!)}`],
  }))
}
