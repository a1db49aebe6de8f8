import type { Verb } from '../call.ts'
import { commandTask } from '../task-command.ts'

export const cancel: Verb = (call) =>
  commandTask(call, call.flag('task')!, {
    state: 'canceled',
    message: call.text('reason') ?? '',
  })
