import * as actions from '../../../workspace/actions/note.ts'
import { inputOf } from '../../command/action-input.ts'
import type { Verb } from '../../command/call.ts'
import { act } from '../../command/replica-actor.ts'
import { oneLine } from '../../command/text.ts'

export const note: Verb = async (call) => {
  const input = inputOf(call, actions.note.input, { text: call.body('text') })
  return act(call, actions.note, input, ({ task }) => ({
    lines: [oneLine(`note ${task.notes.length} on ${task.task_id}`)],
  }))
}
