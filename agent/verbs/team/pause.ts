import * as actions from '../../../workspace/actions/pause.ts'
import { inputOf } from '../../command/action-input.ts'
import type { Verb } from '../../command/call.ts'
import { act } from '../../command/replica-actor.ts'
import { who } from '../../command/text.ts'

export const pause: Verb = async (call) =>
  act(call, actions.pause, inputOf(call, actions.pause.input), ({ agent }, { doc }) => ({
    lines: [`paused ${who(doc, agent.agent_id)}; its prime and poll say so`],
  }))
