import type { Verb } from '../../command/call.ts'
import { commandTask } from '../../command/task-command.ts'

/** Approves a result: the task is completed by that. */
export const approve: Verb = (call) =>
  commandTask(call, call.flag('task')!, { name: 'approve', message: '' })
