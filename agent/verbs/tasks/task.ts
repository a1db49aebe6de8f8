import type { TaskWithHistory } from '../../../client/http/api.ts'
import type { Verb } from '../../command/call.ts'
import { findTask, staleLinesOf } from '../../command/task-command.ts'
import { idText, oneLine, path, who, withBody, word } from '../../command/text.ts'
import { WorkspaceSession } from '../../command/workspace-session.ts'

/** Shows one task, live or archived, with its history and notes. */
export const task: Verb = async (call) => {
  const team = await WorkspaceSession.open(call, true)
  await team.confirm()
  const found = await findTask(call, team, call.flag('task')!)
  return {
    data: { task: found, ...team.admitOffline() },
    lines: linesOf(found, (id) => who(team.doc, id)),
  }
}

const linesOf = (task: TaskWithHistory, name: (id: string) => string): string[] => {
  const { task_id, status, priority, from_agent, to_agent, owner, created_at, context } = task
  const requires = task.requires?.map(word).join(', ') ?? 'time'
  const to = to_agent === null ? `who has ${requires}` : name(to_agent)
  const line = (label: string, value: unknown): string[] =>
    value === undefined || value === null ? [] : [oneLine(`${label}: ${value}`)]
  const said = [
    ...task.history.map(({ at, by, state, event, message }) => ({
      ...{ at, by },
      ...{ head: `${event === undefined ? state : `${state} (${event})`}:`, text: message },
    })),
    ...task.notes.map(({ at, by, text }) => ({ at, by, head: 'note:', text })),
  ].sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0))
  return [
    oneLine(
      `${idText(task_id)} ${status} priority=${priority}${task.percent === undefined ? '' : ` ${task.percent}%`}${task.archived ? ' archived' : ''}`,
    ),
    oneLine(
      `from ${name(from_agent)} to ${to}${owner === null ? '' : `, owned by ${name(owner)}`}, created ${created_at}`,
    ),
    ...withBody('task:', task.task),
    ...line('context', context === null ? null : JSON.stringify(context)),
    ...line('deadline', task.deadline),
    ...line('after', task.after?.map(idText).join(', ')),
    ...line('waits for', task.blocked_by?.map(idText).join(', ')),
    ...line('part of', task.parent && idText(task.parent)),
    ...line('goes on with', task.ref && idText(task.ref)),
    ...line('to be approved by', task.approve_by === undefined ? null : name(task.approve_by)),
    ...line('asked to stop', task.cancel_asked),
    ...line('json', task.result_json === undefined ? null : JSON.stringify(task.result_json)),
    ...(task.artifacts ?? []).map(
      ({ file_key, version }) => `artifact: ${path(file_key)} version ${version}`,
    ),
    ...staleLinesOf(task),
    ...said.flatMap(({ at, by, head, text }) => withBody(`${at} ${name(by)} ${head}`, text)),
  ]
}
