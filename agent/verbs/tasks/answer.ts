import * as actions from '../../../workspace/actions/change-task.ts'
import { inputOf } from '../../command/action-input.ts'
import type { Verb } from '../../command/call.ts'
import { act } from '../../command/replica-actor.ts'
import { printTask } from '../../command/task-command.ts'

export const answer: Verb = async (call) => {
  const input = inputOf(call, actions.answer.input, { text: call.body('text') })
  return act(call, actions.answer, input, printTask())
}
