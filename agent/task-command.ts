import { postStatus, type StatusCommand } from '../workspace/link/commands.ts'
import { isAway } from '../workspace/link/outbox.ts'
import { taskRecord } from '../workspace/shape.ts'
import { getTask } from '../workspace/tasks.ts'
import type { Call, Outcome } from './call.ts'
import { answeredBefore, rememberAnswer, Team } from './team.ts'
import { oneLine } from './text.ts'

/**
 * Has the server move a task. With the server away, the command is kept in the replica and sent when it is back, in
 * order, after what was written before it; what the server then refuses comes back by the inbox.
 */
export const commandTask = async (
  call: Call,
  id: string,
  command: Omit<StatusCommand, 'by' | 'key'>,
): Promise<Outcome> => {
  const by = call.me()
  const payload = { id, ...command, to: command.to ?? null }
  const team = await Team.open(call, true)
  const { replica, doc } = team
  const known = await answeredBefore(call, replica, payload)
  if (known !== null) return 'queued' in known.data ? settled(team, known) : known

  const whole = { ...command, by, key: call.idempotencyKey().key }
  let outcome: Outcome
  try {
    await team.confirm()
    if (team.offline !== null) throw team.offline
    const task = await postStatus(call.target.base, call.workspace, id, whole)
    outcome = { data: { task }, lines: [oneLine(`${task.task_id} is ${task.status}`)] }
  } catch (error) {
    // Of a task that is not here nobody knows whether there is one.
    if (!isAway(error) || taskRecord(doc, id) === undefined) throw error
    team.offline = error
    replica.enqueue({ verb: call.verb, task: id, command: whole })
    outcome = {
      data: { task: getTask(doc, id), queued: command.state },
      lines: [oneLine(`${id} will be ${command.state}`)],
    }
  }
  rememberAnswer(call, replica, payload, outcome)
  await replica.commit()
  return team.offline === null ? outcome : settled(team, outcome)
}

const settled = async (team: Team, outcome: Outcome): Promise<Outcome> => ({
  ...outcome,
  data: { ...outcome.data, ...(await team.settle()) },
})
