import type { Verb } from '../../command/call.ts'
import { commandTask } from '../../command/task-command.ts'

/** Takes a task back. Who works on it is asked to stop, and has a minute for it. */
export const cancel: Verb = (call) =>
  commandTask(call, call.flag('task')!, {
    name: 'cancel',
    message: call.text('reason') ?? '',
    ...(call.has('force') && { force: true }),
  })
