import * as actions from '../../../workspace/actions/change-task.ts'
import type { Task } from '../../../workspace/tasks/tasks.ts'
import { inputOf } from '../../command/action-input.ts'
import type { Verb } from '../../command/call.ts'
import { act, type Print } from '../../command/replica-actor.ts'
import { printTask } from '../../command/task-command.ts'
import { idText, oneLine, who, withBody } from '../../command/text.ts'

export const claim: Verb = async (call) => {
  const input = inputOf(call, actions.claim.input)
  return act(call, actions.claim, input, call.has('task') ? printTask('claim') : printNext)
}

/** All that an agent needs to begin the task. */
const printNext: Print<{ task: Task }> = ({ task: granted }, { doc }) => {
  const { task_id, token, priority, from_agent, task, context } = granted
  return {
    lines: [
      `${idText(task_id)} is yours, token ${token}, priority ${priority}, from ${who(doc, from_agent)}`,
      ...withBody('task:', task),
      ...(context === null ? [] : [oneLine(`context: ${JSON.stringify(context)}`)]),
    ],
  }
}
