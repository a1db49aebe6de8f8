import { ClawError } from '../../protocol/errors.ts'
import type { AgentId, TaskId } from '../../protocol/ids.ts'
import { agentName, type Here, resolveAgent } from '../agents/agents.ts'
import { nextTrace, type Talker } from '../inbox/mailbox.ts'
import { needCandidate } from '../tasks/task-routing.ts'
import { addTask, getTask, type NewTask, type Task } from '../tasks/tasks.ts'

/** A task as its creator says it: people by id or name. */
export interface Delegation extends Omit<NewTask, 'to' | 'approver' | 'trace' | 'afterFailed'> {
  to: string | null
  approver?: string | undefined
  afterFailed?: 'run' | undefined
}

/**
 * Hands over a task, in the chain of what its creator was handed before; `reset` begins a new one. Throws `unknown_agent`,
 * `ambiguous`, `no_candidate`, `storm`, and what `addTask` throws.
 */
export const delegateTask = (
  talker: Talker,
  { approver, afterFailed, ...given }: Delegation,
  reset: boolean,
  here?: Here,
): { task: Task; to: AgentId | null } => {
  const { doc } = talker
  const { now } = given
  const to = given.to === null ? null : resolveAgent(doc, given.to, here)
  const judge = approver === undefined ? undefined : resolveAgent(doc, approver, here)
  if (judge !== undefined && judge === to) {
    throw new ClawError(
      'usage',
      `${agentName(doc, judge)} cannot approve its own result`,
      'name somebody else with --approve-by',
    )
  }
  const whole = {
    ...{ ...given, to },
    ...(judge !== undefined && { approver: judge }),
    ...(afterFailed !== undefined && { afterFailed }),
  }
  if (to === null) needCandidate(doc, { ...whole, createdAt: now })
  addTask(doc, { ...whole, trace: nextTrace(talker, { to, reset, now }) })
  return { task: getTask(doc, given.id as TaskId), to }
}
