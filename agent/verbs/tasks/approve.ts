import * as actions from '../../../workspace/actions/change-task.ts'
import { inputOf } from '../../command/action-input.ts'
import type { Verb } from '../../command/call.ts'
import { act } from '../../command/replica-actor.ts'
import { printTask } from '../../command/task-command.ts'

export const approve: Verb = async (call) =>
  act(call, actions.approve, inputOf(call, actions.approve.input), printTask())
