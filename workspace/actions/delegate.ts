import { parseIso, parseSpan } from '../../lib/text/when.ts'
import { ClawError } from '../../protocol/errors.ts'
import { random } from '../../protocol/fresh-ids.ts'
import { type AgentId, newTaskId, type TaskId } from '../../protocol/ids.ts'
import { agentName, resolveAgent } from '../agents/agents.ts'
import { nextTrace } from '../inbox/mailbox.ts'
import { needCandidate } from '../tasks/task-routing.ts'
import { addTask, getTask, type Task } from '../tasks/tasks.ts'
import { type Actor, action } from './action.ts'
import { checkMoment, LIKE_A_TIME } from './inputs/field.ts'
import * as inputs from './inputs/tasks.ts'

/** Hands over a task, in the chain of what its creator was handed before; `reset_trace` begins a new one. */
export const delegate = action({
  name: 'delegate',
  roles: ['write', 'admin'],
  errors: [
    'unknown_agent',
    'ambiguous',
    'unknown_task',
    'no_candidate',
    'bad_name',
    'too_large',
    'storm',
    'task_cycle',
  ],
  input: inputs.delegate,
  run: async (actor, { reset_trace: reset, ...input }): Promise<{ task: Task }> => {
    const from = actor.agent
    const { to: addressee, approve_by, deadline, max_attempts, after = [], parent, ref } = input
    if (deadline !== undefined) checkMoment(deadline)
    for (const id of [after, parent ?? [], ref ?? []].flat()) await actor.checkTask(id as TaskId)
    return actor.once({ payload: input, isEntry: true }, (desk) => {
      const { doc } = desk
      const now = actor.now()
      const to = addressee === undefined ? null : resolveAgent(doc, addressee, actor.known)
      const approver = approve_by && approverOf(actor, approve_by, to)
      const facts = {
        ...{ id: newTaskId(random), from, to, now, description: input.task },
        ...{ context: input.context, priority: input.priority, after: after as TaskId[] },
        ...(input.requires !== undefined && { requires: input.requires }),
        ...(input.after_failed === 'run' && { afterFailed: 'run' as const }),
        ...(deadline !== undefined && { deadline: deadlineOf(deadline, actor) }),
        ...(parent !== undefined && { parent: parent as TaskId }),
        ...(ref !== undefined && { ref: ref as TaskId }),
        ...(max_attempts !== undefined && { maxAttempts: max_attempts }),
        ...(approver && { approver }),
        ...(input.fresh === true && { fresh: true as const }),
      }
      if (to === null && input.later !== true) needCandidate(doc, { ...facts, createdAt: now })
      addTask(doc, { ...facts, trace: nextTrace(desk, { to, reset, now }) })
      return { task: getTask(doc, facts.id) }
    })
  },
})

/** Throws `unknown_agent`, `ambiguous`, and `usage` where the addressee is to approve its own result. */
const approverOf = ({ doc, known }: Actor, typed: string, to: AgentId | null): AgentId => {
  const approver = resolveAgent(doc, typed, known)
  if (approver !== to) return approver
  throw new ClawError(
    'usage',
    `${agentName(doc, approver)} cannot approve its own result`,
    'name another agent with --approve-by',
  )
}

/** Milliseconds since the epoch. Throws `usage` for a time that is over. */
const deadlineOf = (typed: string, { askedAt }: Actor): number => {
  const span = parseSpan(typed)
  const at = span === null ? parseIso(typed) : askedAt + span
  if (at > askedAt) return at
  throw new ClawError(
    'usage',
    `the deadline ${typed} has passed`,
    `give a later one, ${LIKE_A_TIME}`,
  )
}
