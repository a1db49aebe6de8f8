import { MAX_RESULT_BYTES } from '../../workspace/limits.ts'
import { checkSaid } from '../../workspace/validate.ts'
import type { Verb } from '../call.ts'
import { commandTask } from '../task-command.ts'

/** Answers what the owner of a task has asked; it goes on with that. */
export const answer: Verb = (call) =>
  commandTask(call, call.flag('task')!, {
    name: 'status',
    state: 'working',
    message: checkSaid('answer', call.body('text'), MAX_RESULT_BYTES),
  })
