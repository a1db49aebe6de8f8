import {
  getServerTask,
  postTask,
  type TaskRequest,
  type TaskWithHistory,
} from '../../client/http/api.ts'
import { isAway } from '../../client/session/outbox.ts'
import {
  findEntry,
  getTask,
  showStep,
  type Task,
  taskHistory,
} from '../../workspace/tasks/tasks.ts'
import type { Call, Outcome } from './call.ts'
import { idText, oneLine, stateText } from './text.ts'
import { answeredBefore, rememberAnswer, WorkspaceSession } from './workspace-session.ts'

/**
 * Gives the server a command on a task. With the server away, the command is kept in the replica and sent when it is back,
 * in order, after what was written before it; what the server then refuses comes back by the inbox. A claim is not kept:
 * by then another may have the task.
 */
export const commandTask = async (
  call: Call,
  id: string,
  command: Omit<TaskRequest, 'by' | 'key' | 'token'>,
): Promise<Outcome> => {
  const by = call.me()
  const payload = { id, ...command, to: command.to ?? null } as never
  const team = await WorkspaceSession.open(call, command.name !== 'claim')
  const { replica, doc } = team
  const known = await answeredBefore(call, replica, payload)
  if (known !== null) return 'queued' in known.data ? settled(team, known) : known

  const grant = call.number('token')
  const entry = findEntry(doc, id)
  const mine = entry?.status.owner === by ? entry.status.token : undefined
  const token = grant ?? mine
  const isWork = command.name === 'status' && token !== undefined
  const whole: TaskRequest = {
    ...{ ...command, by, key: call.idempotencyKey().key },
    ...(isWork && { token }),
  }
  let outcome: Outcome
  try {
    await team.confirm()
    if (team.offline !== null) throw team.offline
    const answer = await postTask(call.target, call.workspace, id, whole)
    outcome = { data: { ...answer }, lines: [oneLine(lineOf(command, answer.task))] }
  } catch (error) {
    // Of a task that is not here nobody knows whether there is one.
    if (!isAway(error) || entry === undefined || command.name === 'claim') throw error
    team.offline = error
    replica.enqueue({ verb: call.verb, task: id, command: whole })
    const queued = command.state ?? command.name
    outcome = {
      data: { task: getTask(doc, id), queued },
      lines: [oneLine(`${id}: ${queued} is queued`)],
    }
  }
  rememberAnswer(call, replica, payload, outcome)
  await replica.commit()
  return team.offline === null ? outcome : settled(team, outcome)
}

const lineOf = ({ name }: Pick<TaskRequest, 'name'>, task: Task): string => {
  const { task_id, status, cancel_asked, approve_by } = task
  if (cancel_asked !== undefined) return `${task_id} is ${status}; its owner is asked to stop`
  if (task.awaits_approval)
    return `${task_id} is ${status}: ${idText(approve_by ?? '')} is to approve the result`
  if (name === 'claim') return `${task_id} is yours, token ${task.token}`
  if (name === 'decline' && status === 'submitted') return `${task_id} goes to others`
  return `${task_id} ${stateText(status)}`
}

const settled = async (team: WorkspaceSession, outcome: Outcome): Promise<Outcome> => ({
  ...outcome,
  data: { ...outcome.data, ...(await team.settle()) },
})

/** A task with its history, from the replica or, where it has left that, from the server. Throws `unknown_task`. */
export const findTask = async (
  call: Call,
  team: WorkspaceSession,
  id: string,
): Promise<TaskWithHistory> => {
  const { doc } = team
  if (findEntry(doc, id) === undefined && team.offline === null) {
    return getServerTask(call.target, call.workspace, id)
  }
  return { ...getTask(doc, id), history: taskHistory(doc, id).map(showStep) }
}
