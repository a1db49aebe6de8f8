import type { AgentId } from '../../protocol/ids.ts'
import type { TaskState } from '../document/schema.ts'
import { isTerminal, type TaskRole, TRANSITIONS } from './task-states.ts'
import type { Task } from './tasks.ts'

/** A command that an agent can give for a task. */
export type TaskOffer =
  | 'claim'
  | 'respond'
  | 'answer'
  | 'approve'
  | 'decline'
  | 'cancel'
  | 'release'

/** The reason for a task to wait for an agent; `open`: others could claim it as well. */
export type TaskWait = 'answer' | 'approval' | 'claim' | 'open'

const NONE: ReadonlySet<TaskOffer> = new Set()

/** The roles of an agent in a task, as far as its shown fields tell them. */
const rolesOf = (task: Task, me: AgentId, capabilities: readonly string[]): TaskRole[] => {
  const { owner, to_agent: to, from_agent: from, requires = [], approve_by: approver } = task
  const isAddressee =
    owner === null &&
    (to === null ? requires.every((one) => capabilities.includes(one)) : to === me)
  return [
    ...(isAddressee ? (['addressee'] as const) : []),
    ...(owner === me ? (['owner'] as const) : []),
    ...(from === me ? (['creator'] as const) : []),
    ...(approver === me && task.awaits_approval === true ? (['approver'] as const) : []),
  ]
}

/**
 * The commands that the rules of tasks accept from an agent with these capabilities. The server decides: the task may
 * have changed meanwhile.
 */
export const offersFor = (
  task: Task,
  me: AgentId | null,
  capabilities: readonly string[],
): ReadonlySet<TaskOffer> => {
  if (me === null || !Object.hasOwn(TRANSITIONS, task.status) || isTerminal(task.status)) {
    return NONE
  }
  const roles = rolesOf(task, me, capabilities)
  const may = (to: TaskState, role: TaskRole) =>
    roles.includes(role) && TRANSITIONS[task.status][to]?.includes(role) === true
  const isTakeable =
    may('working', 'addressee') && (task.blocked_by ?? []).length === 0 && task.approve_by !== me
  const offers: Readonly<Record<TaskOffer, boolean>> = {
    claim: isTakeable,
    respond: isTakeable || may('working', 'owner'),
    answer: task.status === 'input-required' && !task.awaits_approval && may('working', 'creator'),
    approve: may('completed', 'approver'),
    decline: may('rejected', 'addressee') || may('working', 'approver'),
    cancel: may('canceled', 'creator'),
    release: may('submitted', 'owner'),
  }
  return new Set((Object.keys(offers) as TaskOffer[]).filter((one) => offers[one]))
}

/** The reason for the task to wait for this agent; null: it does not. */
export const waitOf = (
  task: Task,
  me: AgentId | null,
  capabilities: readonly string[],
): TaskWait | null => {
  const offers = offersFor(task, me, capabilities)
  if (offers.has('answer')) return 'answer'
  if (offers.has('approve')) return 'approval'
  if (!offers.has('claim')) return null
  if (task.to_agent !== null) return 'claim'
  return task.from_agent === me ? null : 'open'
}
