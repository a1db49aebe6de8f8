import type { Verb } from '../call.ts'
import { commandTask } from '../task-command.ts'

/** Gives a task back, and says why. */
export const release: Verb = (call) =>
  commandTask(call, call.flag('task')!, { name: 'release', message: call.text('reason') ?? '' })
