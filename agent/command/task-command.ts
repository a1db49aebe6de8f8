import type * as Y from 'yjs'
import { getServerTask, type TaskWithHistory } from '../../client/http/api.ts'
import { staleText } from '../../workspace/files/stale.ts'
import {
  findEntry,
  getTask,
  showStep,
  type Task,
  taskHistory,
} from '../../workspace/tasks/tasks.ts'
import type { Call } from './call.ts'
import type { Printed } from './replica-actor.ts'
import { oneLine, path, stateText, who } from './text.ts'
import type { WorkspaceSession } from './workspace-session.ts'

/** Prints the task after a change. `name`: the change's. */
export const printTask =
  (name?: 'claim' | 'decline') =>
  ({ task }: { task: Task }, { doc }: Pick<WorkspaceSession, 'doc'>): Printed => ({
    lines: [oneLine(lineOf(doc, task, name))],
  })

/** Says which files its author had read that others changed since. */
export const staleLinesOf = ({ stale = [] }: Pick<Task, 'stale'>): string[] =>
  stale.map((file) => oneLine(`stale: ${path(file.file_key)} ${staleText(file)}`))

const lineOf = (doc: Y.Doc, task: Task, name?: string): string => {
  const { task_id, status, cancel_asked, approve_by } = task
  if (cancel_asked !== undefined) return `${task_id} is ${status}; its owner is asked to stop`
  if (task.awaits_approval)
    return `${task_id} is ${status}: ${who(doc, approve_by ?? '')} is to approve the result`
  if (name === 'claim') return `${task_id} is yours, token ${task.token}`
  if (name === 'decline' && status === 'submitted') return `${task_id} goes to others`
  return `${task_id} ${stateText(status)}`
}

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
