import { postStatus } from '../../workspace/link/commands.ts'
import type { Verb } from '../call.ts'
import { answeredBefore, openReplica, rememberAnswer } from '../team.ts'
import { oneLine } from '../text.ts'

/** Goes to the server, like every move of a task. */
export const cancel: Verb = async (call) => {
  const by = call.me()
  const payload = { id: call.flag('task')!, message: call.text('reason') ?? '' }
  const replica = await openReplica(call)
  const known = await answeredBefore(call, replica, payload)
  if (known !== null) return known
  const task = await postStatus(call.target.base, call.workspace, payload.id, {
    by,
    state: 'canceled',
    message: payload.message,
    key: call.idempotencyKey() ?? crypto.randomUUID(),
  })
  call.rememberServer()
  const outcome = { data: { task }, lines: [oneLine(`${task.task_id} is ${task.status}`)] }
  rememberAnswer(call, replica, payload, outcome)
  return outcome
}
