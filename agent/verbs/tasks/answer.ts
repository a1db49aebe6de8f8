import { MAX_RESULT_BYTES } from '../../../protocol/limits.ts'
import { checkSaid } from '../../../workspace/document/validate.ts'
import type { Verb } from '../../command/call.ts'
import { commandTask } from '../../command/task-command.ts'

/** Answers what the owner of a task has asked; it goes on with that. */
export const answer: Verb = (call) =>
  commandTask(call, call.flag('task')!, {
    name: 'status',
    state: 'working',
    message: checkSaid('answer', call.body('text'), MAX_RESULT_BYTES),
  })
