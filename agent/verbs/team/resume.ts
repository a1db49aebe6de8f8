import * as actions from '../../../workspace/actions/pause.ts'
import { inputOf } from '../../command/action-input.ts'
import type { Verb } from '../../command/call.ts'
import { act } from '../../command/replica-actor.ts'
import { who } from '../../command/text.ts'

export const resume: Verb = async (call) =>
  act(call, actions.resume, inputOf(call, actions.resume.input), ({ agent }, { doc }) => ({
    lines: [`resumed ${who(doc, agent.agent_id)}`],
  }))
