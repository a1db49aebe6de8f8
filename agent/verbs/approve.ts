import type { Verb } from '../call.ts'
import { commandTask } from '../task-command.ts'

/** Approves a result: the task is completed by that. */
export const approve: Verb = (call) =>
  commandTask(call, call.flag('task')!, { name: 'approve', message: '' })
