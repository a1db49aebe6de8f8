import { postNext } from '../../../client/http/api.ts'
import type { Task } from '../../../workspace/tasks/tasks.ts'
import type { Call, Outcome, Verb } from '../../command/call.ts'
import { commandTask } from '../../command/task-command.ts'
import { idText, oneLine } from '../../command/text.ts'
import {
  answeredBefore,
  rememberAnswer,
  WorkspaceSession,
} from '../../command/workspace-session.ts'

/** Has the server grant a task, or the most urgent one there is. The server alone can: it has one owner. */
export const claim: Verb = (call) => {
  const id = call.flag('task')
  if (id === undefined) return claimNext(call)
  return commandTask(call, id, { name: 'claim', message: '' })
}

const claimNext = async (call: Call): Promise<Outcome> => {
  const by = call.me()
  const caps = call.has('caps') ? call.list('caps') : undefined
  const payload = { caps: caps ?? null }
  const team = await WorkspaceSession.open(call, false)
  const known = await answeredBefore(call, team.replica, payload)
  if (known !== null) return known
  await team.confirm()
  const { key } = call.idempotencyKey()
  const command = { by, key, ...(caps !== undefined && { caps }) }
  const answer = await postNext(call.target, call.workspace, command)
  const outcome = { data: { ...answer }, lines: linesOf(answer.task) }
  rememberAnswer(call, team.replica, payload, outcome)
  await team.replica.commit()
  return outcome
}

/** All that an agent needs to begin the task. */
const linesOf = ({ task_id, token, priority, from_agent, task, context }: Task): string[] => [
  `${idText(task_id)} is yours, token ${token}, priority ${priority}, from ${idText(from_agent)}`,
  oneLine(`task: ${task}`),
  ...(context === null ? [] : [oneLine(`context: ${JSON.stringify(context)}`)]),
]
