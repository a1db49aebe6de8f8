import type { Verb } from '../../command/call.ts'
import { commandTask } from '../../command/task-command.ts'

/** Says no to a task that one is asked to take, or to a result that one is to approve. */
export const decline: Verb = (call) =>
  commandTask(call, call.flag('task')!, { name: 'decline', message: call.text('reason')! })
