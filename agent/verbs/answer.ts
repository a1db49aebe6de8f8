import type { Verb } from '../call.ts'
import { commandTask } from '../task-command.ts'

/** Answers what the owner of a task has asked; it goes on with that. */
export const answer: Verb = (call) =>
  commandTask(call, call.flag('task')!, {
    name: 'status',
    state: 'working',
    message: call.body('text'),
  })
