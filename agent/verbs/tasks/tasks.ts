import { getArchivedTasks } from '../../../client/http/api.ts'
import { shorten } from '../../../lib/text/shorten.ts'
import { agentName } from '../../../workspace/agents/agents.ts'
import { selectTasks, TASK_SORTS, type TaskSort } from '../../../workspace/tasks/task-list.ts'
import { parseState } from '../../../workspace/tasks/task-states.ts'
import type { Task } from '../../../workspace/tasks/tasks.ts'
import type { Call, Outcome, Verb } from '../../command/call.ts'
import { shortList } from '../../command/page.ts'
import { idText, oneLine, word, words } from '../../command/text.ts'
import { WorkspaceSession } from '../../command/workspace-session.ts'

const SORTS = Object.keys(TASK_SORTS) as TaskSort[]
/** Characters of a task in a line. */
const SHOWN = 80
/** Archived tasks on a page, where not said otherwise (count). */
const PAGE = 50

/** Tasks: the open ones, or those in the states asked for; the most urgent first, of the same priority the oldest. */
export const tasks: Verb = async (call) => {
  const states = call.has('state') ? call.list('state').map(parseState) : null
  const sort = call.oneOf('sort', SORTS) ?? 'priority'
  if (call.has('archived')) return archived(call)
  const team = await WorkspaceSession.open(call, true)
  await team.confirm()
  const [mine, fromMe, ready] = ['mine', 'from-me', 'ready'].map((flag) => call.has(flag))
  const asked = { mine: mine!, fromMe: fromMe!, ready: ready! }
  const me = mine || fromMe || ready ? team.me() : null
  const found = selectTasks(team.doc, { ...asked, states, me, sort })
  return {
    data: { tasks: found, count: found.length, ...team.admitOffline() },
    lines: shortList(
      linesOf(found, team).map((line) => [line]),
      { limit: call.number('limit'), how: `tasks --limit ${found.length}` },
    ),
    notes: found.length === 0 ? [states === null ? 'no open tasks' : 'no such tasks'] : [],
  }
}

/** Archived tasks, one page at a time, the newest first. */
const archived = async (call: Call): Promise<Outcome> => {
  const [limit, before] = [call.number('limit'), call.number('before')]
  const team = await WorkspaceSession.open(call, false)
  const { target } = call
  const page = await getArchivedTasks(target, call.workspace, limit ?? PAGE, before)
  const { tasks: found, next } = page
  const more = next === null ? [] : [`older ones: tasks --archived --before ${next}`]
  return {
    data: { tasks: found, count: found.length, next },
    lines: linesOf(found, team),
    notes: found.length === 0 ? ['no archived tasks', ...more] : more,
  }
}

const openTo = (requires: readonly string[] = []): string =>
  requires.length === 0 ? 'anyone' : words(requires)

const linesOf = (found: readonly Task[], { doc }: WorkspaceSession): string[] => {
  const name = (id: string) => word(agentName(doc, id))
  return found.map((task) => {
    const { task_id, status, priority, from_agent, to_agent, owner, percent } = task
    const to = owner ?? to_agent
    const who = `${name(from_agent)} → ${to === null ? openTo(task.requires) : name(to)}`
    const state = [
      status,
      ...(percent === undefined ? [] : [`${percent}%`]),
      ...(task.blocked_by === undefined ? [] : ['blocked']),
      ...(task.awaits_approval ? ['awaits approval'] : []),
    ].join(' ')
    return oneLine([idText(task_id), state, priority, who, shorten(task.task, SHOWN)].join('  '))
  })
}
