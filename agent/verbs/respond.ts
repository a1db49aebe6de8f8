import { parseState } from '../../workspace/tasks.ts'
import type { Verb } from '../call.ts'
import { commandTask } from '../task-command.ts'

/** The server alone decides who owns a task and what state that is in; with it away the answer is queued. */
export const respond: Verb = (call) =>
  commandTask(call, call.flag('msg-id')!, {
    to: call.flag('to')!,
    state: parseState(call.flag('status') ?? 'completed'),
    message: call.body('result'),
  })
