import type { Verb } from '../../command/call.ts'
import { commandTask } from '../../command/task-command.ts'

/** Gives a task back, and says why. */
export const release: Verb = (call) =>
  commandTask(call, call.flag('task')!, { name: 'release', message: call.text('reason') ?? '' })
