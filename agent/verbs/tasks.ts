import { agentName } from '../../workspace/agents.ts'
import { ClawError } from '../../workspace/errors.ts'
import { PRIORITIES } from '../../workspace/schema.ts'
import { shorten } from '../../workspace/shorten.ts'
import { isTerminal, listTasks, parseState, type Task } from '../../workspace/tasks.ts'
import type { Verb } from '../call.ts'
import { Team } from '../team.ts'
import { oneLine } from '../text.ts'

/** What a line shows of a task (characters). */
const SHOWN = 80

const rank = ({ priority }: Task): number => -PRIORITIES.indexOf(priority)

const SORTS: Readonly<Record<string, (a: Task, b: Task) => number>> = {
  priority: (a, b) => rank(a) - rank(b),
  created: (a, b) => (a.created_at < b.created_at ? -1 : 1),
  updated: (a, b) => (a.updated_at > b.updated_at ? -1 : 1),
}

/** Tasks: the open ones, or those in the states asked for; the most urgent first, of the same priority the oldest. */
export const tasks: Verb = async (call) => {
  const states = call.has('state') ? call.list('state').map(parseState) : null
  const sort = SORTS[call.flag('sort') ?? 'priority']
  if (sort === undefined) {
    const known = Object.keys(SORTS).join(', ')
    throw new ClawError('usage', `--sort is none of ${known}`, `one of: ${known}`)
  }
  const team = await Team.open(call, true)
  await team.confirm()
  const me = call.has('mine') || call.has('from-me') ? team.me() : null
  const found = listTasks(team.doc)
    .filter((task) => states?.includes(task.status) ?? !isTerminal(task.status))
    .filter(({ owner, to_agent }) => !call.has('mine') || (owner ?? to_agent) === me)
    .filter(({ from_agent }) => !call.has('from-me') || from_agent === me)
    .sort(sort)
  const name = (id: string) => agentName(team.doc, id)
  const lines = found.map(({ task_id, status, priority, from_agent, to_agent, owner, task }) => {
    const to = owner ?? to_agent
    const who = `${name(from_agent)} → ${to === null ? 'anyone' : name(to)}`
    return oneLine([task_id, status, priority, who, shorten(task, SHOWN)].join('  '))
  })
  return {
    data: { tasks: found, count: found.length, ...team.admitOffline() },
    lines,
    notes: found.length === 0 ? ['no such tasks'] : [],
  }
}
