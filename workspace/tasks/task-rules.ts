import type * as Y from 'yjs'
import { shellFlag, shellWord } from '../../lib/text/quote.ts'
import { ClawError } from '../../protocol/errors.ts'
import type { AgentId, TaskId } from '../../protocol/ids.ts'
import { agentName, resolveAgent } from '../agents/agents.ts'
import type { TaskState } from '../document/schema.ts'
import { isAddressee, lacks } from './task-routing.ts'
import { isTerminal, type TaskRole, TRANSITIONS } from './task-states.ts'
import { blockers, findEntry, historyOf, type TaskEntry } from './tasks.ts'

/**
 * The rules of who may do what with a task. Each rejection names the task, its state and the rule.
 */

const KEPT = '; what you said is kept as a note'

/** The parts of a command that the rules depend on. */
interface Work {
  by: AgentId
  state: TaskState
  message: string
  to?: string | undefined
  token?: number | undefined
}

/** An answer goes to the creator; the creator's own goes to the owner. */
export const checkTo = (doc: Y.Doc, { id, facts, status }: TaskEntry, { to, by }: Work): void => {
  if (to === undefined || to === facts.from) return
  const given = resolveAgent(doc, to)
  if (given === facts.from || (by === facts.from && given === status.owner)) return
  throw new ClawError(
    'not_allowed',
    `${id} was delegated by ${facts.from}, not by ${to}`,
    `answer with ${shellFlag('to', facts.from)}`,
  )
}

/**
 * The rejection of work under a grant that has ended; null: the grant is valid. The grant of an
 * owner also ends when another agent ends the task.
 */
export const lostGrant = (
  { status, ...entry }: TaskEntry,
  { by, token, state, message }: Work,
): ClawError | null => {
  const { id, facts } = entry
  const isStale = token !== undefined && token !== status.token
  const wasLost = isStale || status.lost?.includes(by) === true
  if (isTerminal(status.state)) {
    const endedBy = historyOf({ status, ...entry }).at(-1)?.by
    const isCut = status.owner === by && endedBy !== by && endedBy !== facts.approver
    if (message === '' || !(wasLost || isCut)) return null
    const { code, message: what, hint } = terminalError({ status, ...entry })
    return new ClawError(code, `${what}${KEPT}`, hint)
  }
  // Two commands of the creator need no grant: an answer, and a cancellation.
  const isAnswer = status.state === 'input-required' && state === 'working'
  if (facts.from === by && token === undefined && (isAnswer || state === 'canceled')) return null
  if (status.owner === by ? !isStale : !wasLost) return null
  const now = status.owner === null ? 'it is offered again' : `${status.owner} has it now`
  return new ClawError(
    'lease_lost',
    `your lease on ${id} has ended, and ${now}${message === '' ? '' : KEPT}`,
    status.owner === null ? `to go on: clawlink-agent claim ${shellWord(id)}` : 'take another task',
  )
}

/**
 * The role in which `by` may move the task to `state`. Throws the rejection, which names the state
 * and the rule.
 */
export const roleFor = (doc: Y.Doc, entry: TaskEntry, by: AgentId, state: TaskState): TaskRole => {
  const { id, facts, status } = entry
  const roles = TRANSITIONS[status.state][state]
  if (isTerminal(status.state)) throw terminalError(entry)
  const mine = roles?.filter((role) => hasRole(doc, role, entry, by)) ?? []
  if (mine.includes('addressee') && state !== 'rejected' && state !== 'submitted') {
    checkTakeable(doc, entry, by)
  }
  if (mine.length > 0) return state === 'canceled' && facts.from === by ? 'creator' : mine[0]!
  if (status.owner !== null && status.owner !== by && isAddressee(doc, facts, by)) {
    throw takenError(entry)
  }
  if (roles === undefined) {
    throw new ClawError(
      'task_state',
      `${id} is ${status.state}; it cannot become ${state}`,
      `possible now: ${Object.keys(TRANSITIONS[status.state]).join(', ')}`,
    )
  }
  throw new ClawError(
    'not_allowed',
    `you cannot ${doing(status.state, state)} ${id}: ${whyNot(doc, entry, by, roles)}`,
    status.state === 'submitted' && state !== 'canceled'
      ? 'tasks --ready lists what you can take'
      : '',
  )
}

/** The verb for moving a task from one state to another. */
const doing = (from: TaskState, to: TaskState): string => {
  if (to === 'canceled') return 'cancel'
  if (to === 'submitted') return from === 'submitted' ? 'decline' : 'release'
  if (to === 'rejected') return 'decline'
  return from === 'submitted' && to === 'working' ? 'claim' : 'answer'
}

/** The reason why `by` has none of these roles. */
const whyNot = (
  doc: Y.Doc,
  { facts, status }: TaskEntry,
  by: AgentId,
  roles: readonly TaskRole[],
): string => {
  const named = (id: AgentId) => `${agentName(doc, id)} (${id})`
  if (roles.includes('addressee')) {
    return facts.to === null
      ? `it requires ${lacks(doc, facts, by).join(', ')}`
      : `it was given to ${named(facts.to)}`
  }
  if (roles.includes('owner') && status.owner !== null) return `${named(status.owner)} has it`
  return `${named(facts.from)} gave it`
}

export const takenError = ({ id, status }: TaskEntry): ClawError =>
  new ClawError(
    'task_taken',
    `${id} is ${status.state} and belongs to ${status.owner}`,
    'leave it to its owner and take another task',
  )

const ENDED_AS: Partial<Record<TaskState, string>> = {
  completed: 'completed',
  failed: 'failed',
  canceled: 'was canceled',
  rejected: 'was rejected',
}

export const terminalError = ({ id, status }: Pick<TaskEntry, 'id' | 'status'>): ClawError =>
  new ClawError(
    'task_terminal',
    `${id} ${ENDED_AS[status.state]}; a finished task stays as it is`,
    `delegate a new task that refers to it: --ref ${shellWord(id)}`,
  )

const hasRole = (doc: Y.Doc, role: TaskRole, entry: TaskEntry, by: AgentId): boolean => {
  const { facts, status } = entry
  if (role === 'creator') return facts.from === by
  if (role === 'owner') return status.owner === by
  if (role === 'approver') return facts.approver === by && status.pending === true
  return role === 'addressee' && status.owner === null && isAddressee(doc, facts, by)
}

/** Throws `task_blocked`; `not_allowed` for the approver of the result. */
const checkTakeable = (doc: Y.Doc, { id, facts }: TaskEntry, by: AgentId): void => {
  const blocked: TaskId[] = blockers(facts, (other) => findEntry(doc, other))
  if (blocked.length > 0) {
    throw new ClawError(
      'task_blocked',
      `${id} waits for ${blocked.join(', ')}`,
      'it is offered when those have ended; tasks --ready lists what can be taken now',
    )
  }
  if (facts.approver === by) {
    throw new ClawError(
      'not_allowed',
      `you approve ${id}, so another agent must do it`,
      'tasks --ready lists what you can take',
    )
  }
}
