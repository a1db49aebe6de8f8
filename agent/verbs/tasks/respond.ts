import { ClawError } from '../../../protocol/errors.ts'
import { MAX_RESULT_BYTES, MAX_TASK_LINKS } from '../../../protocol/limits.ts'
import type { Json, TaskResult } from '../../../workspace/document/schema.ts'
import { checkSaid } from '../../../workspace/document/validate.ts'
import { fileInfo } from '../../../workspace/files/file-info.ts'
import { parseAnswer } from '../../../workspace/tasks/task-states.ts'
import type { Call, Verb } from '../../command/call.ts'
import { commandTask } from '../../command/task-command.ts'
import { WorkspaceSession } from '../../command/workspace-session.ts'

/** The server alone decides who owns a task and what state that is in; with it away the answer is queued. */
export const respond: Verb = async (call) => {
  const result = await resultOf(call)
  const percent = call.number('percent')
  return commandTask(call, call.flag('msg-id')!, {
    name: 'status',
    to: call.flag('to')!,
    state: parseAnswer(call.flag('status') ?? 'completed'),
    message: messageOf(call),
    ...(percent !== undefined && { percent }),
    ...(result !== undefined && { result }),
  })
}

const messageOf = (call: Call): string => {
  return call.text('note') ?? resultText(call)
}

/** The text of a result. Where it comes from a command or a file, an empty one is a mistake. */
const resultText = (call: Call): string => {
  const text = call.body('result')
  return call.has('file') || call.flag('result') === '-'
    ? checkSaid('result', text, MAX_RESULT_BYTES)
    : text
}

const resultOf = async (call: Call): Promise<TaskResult | undefined> => {
  const json: Json | undefined = call.has('result-json') ? call.json('result-json') : undefined
  const keys = call.has('artifact') ? call.list('artifact') : []
  if (keys.length > MAX_TASK_LINKS) {
    throw new ClawError('too_large', `${keys.length} artifacts; the limit is ${MAX_TASK_LINKS}`)
  }
  if (json === undefined && keys.length === 0) return undefined
  const doc = keys.length === 0 ? null : (await WorkspaceSession.open(call, true)).doc
  // At its version now: what it is later is another result.
  const artifacts = keys.map((key) => {
    const { file_key, version } = fileInfo(doc!, key)
    return { file_key, version }
  })
  return {
    ...(json !== undefined && { json }),
    ...(artifacts.length > 0 && { artifacts }),
  }
}
