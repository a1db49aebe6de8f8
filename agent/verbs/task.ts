import { agentName } from '../../workspace/agents.ts'
import { isoTime } from '../../workspace/schema.ts'
import { getTask, taskHistory } from '../../workspace/tasks.ts'
import type { Verb } from '../call.ts'
import { Team } from '../team.ts'
import { oneLine } from '../text.ts'

/** One task with all that became of it: who moved it where and when, and what was noted. */
export const task: Verb = async (call) => {
  const team = await Team.open(call, true)
  await team.confirm()
  const { doc } = team
  const found = getTask(doc, call.flag('task')!)
  const history = taskHistory(doc, found.task_id).map(({ state, by, message, at, revision }) => ({
    ...{ state, by, message, revision },
    at: isoTime(at),
  }))
  const name = (id: string) => `${agentName(doc, id)} (${id})`
  const { task_id, status, priority, from_agent, to_agent, owner, created_at, context } = found
  const said = [
    ...history.map(({ at, by, state, message }) => ({ at, by, text: `${state}: ${message}` })),
    ...found.notes.map(({ at, by, text }) => ({ at, by, text: `note: ${text}` })),
  ].sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0))
  return {
    data: { task: { ...found, history }, ...team.admitOffline() },
    lines: [
      `${task_id} ${status} priority=${priority}`,
      `from ${name(from_agent)} to ${to_agent === null ? 'anyone' : name(to_agent)}${owner === null ? '' : `, owned by ${name(owner)}`}, created ${created_at}`,
      `task: ${found.task}`,
      ...(context === null ? [] : [`context: ${JSON.stringify(context)}`]),
      ...said.map(({ at, by, text }) => `${at} ${name(by)} ${text}`),
    ].map(oneLine),
  }
}
