import { MAX_RESULT_BYTES } from '../../../protocol/limits.ts'
import * as actions from '../../../workspace/actions/change-task.ts'
import { checkSaid } from '../../../workspace/document/validate.ts'
import { inputOf } from '../../command/action-input.ts'
import type { Call, Verb } from '../../command/call.ts'
import { act } from '../../command/replica-actor.ts'
import { printTask } from '../../command/task-command.ts'

export const respond: Verb = async (call) => {
  const json = call.has('result-json') ? call.json('result-json') : undefined
  const artifacts = call.has('artifact') ? call.list('artifact') : undefined
  const result = {
    ...(json !== undefined && { json }),
    ...(artifacts !== undefined && { artifacts: artifacts.map((key) => ({ file_key: key })) }),
  }
  const input = inputOf(call, actions.respond.input, {
    message: call.text('note') ?? resultText(call),
    state: call.flag('status') ?? 'completed',
    ...(Object.keys(result).length > 0 && { result }),
  })
  return act(call, actions.respond, input, printTask())
}

/** The text of a result. Where it comes from a command or a file, an empty one is a mistake. */
const resultText = (call: Call): string => {
  const text = call.body('result')
  return call.has('file') || call.flag('result') === '-'
    ? checkSaid('result', text, MAX_RESULT_BYTES)
    : text
}
