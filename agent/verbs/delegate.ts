import { agentName, resolveAgent } from '../../workspace/agents.ts'
import { ClawError } from '../../workspace/errors.ts'
import { newTaskId } from '../../workspace/ids.ts'
import { nextTrace } from '../../workspace/link/inbox.ts'
import { PRIORITIES, type Priority } from '../../workspace/schema.ts'
import { didYouMean } from '../../workspace/suggest.ts'
import { addTask, getTask } from '../../workspace/tasks.ts'
import { randomBytes, type Verb } from '../call.ts'
import { mergingWrite } from '../team.ts'
import { oneLine } from '../text.ts'

export const delegate: Verb = async (call) => {
  const facts = {
    to: call.flag('to')!,
    description: call.body('task'),
    context: call.json('context'),
    priority: readPriority(call.flag('priority') ?? 'normal'),
  }
  return mergingWrite(call, facts, (team) => {
    const { doc } = team
    const to = resolveAgent(doc, facts.to)
    const from = team.me()
    const id = newTaskId(randomBytes)
    const now = Date.now()
    const trace = nextTrace(team.replica, undefined, call.has('reset-trace'), now)
    addTask(doc, { ...facts, id, from, to, trace, now })
    return {
      data: { task: getTask(doc, id) },
      lines: [oneLine(`delegated ${id} to ${agentName(doc, to)} (${to})`)],
    }
  })
}

const readPriority = (text: string): Priority => {
  const priority = PRIORITIES.find((known) => known === text)
  if (priority !== undefined) return priority
  throw new ClawError(
    'usage',
    `"${text}" is not a priority`,
    `${didYouMean(text, PRIORITIES)} one of: ${PRIORITIES.join(', ')}`.trim(),
  )
}
