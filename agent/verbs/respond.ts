import { postStatus } from '../../workspace/link/commands.ts'
import { parseState } from '../../workspace/tasks.ts'
import type { Verb } from '../call.ts'
import { answeredBefore, openReplica, rememberAnswer } from '../team.ts'
import { oneLine } from '../text.ts'

/** Goes to the server and nowhere else: it alone decides who owns a task and what state that is in. */
export const respond: Verb = async (call) => {
  const by = call.me()
  const key = call.idempotencyKey()
  const command = {
    to: call.flag('to')!,
    state: parseState(call.flag('status') ?? 'completed'),
    message: call.body('result'),
  }
  const id = call.flag('msg-id')!
  const send = async () => {
    const unique = key ?? crypto.randomUUID()
    const task = await postStatus(call.target.base, call.workspace, id, {
      ...command,
      by,
      key: unique,
    })
    call.rememberServer()
    return { data: { task }, lines: [oneLine(`${task.task_id} is ${task.status}`)] }
  }
  if (key === undefined) return send()

  const payload = { id, ...command }
  const replica = await openReplica(call)
  const known = await answeredBefore(call, replica, payload)
  if (known !== null) return known
  const outcome = await send()
  rememberAnswer(call, replica, payload, outcome)
  return outcome
}
