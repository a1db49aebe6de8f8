import type * as Y from 'yjs'
import { didYouMean } from '../../lib/text/suggest.ts'
import { ClawError } from '../../protocol/errors.ts'
import type { AgentId } from '../../protocol/ids.ts'
import { type Agent, capabilitiesOf, listAgents } from '../agents/agents.ts'
import { PRIORITIES, type TaskFacts } from '../document/schema.ts'
import { agentRecord } from '../document/shape.ts'
import { isTerminal } from './task-states.ts'
import { blockers, type TaskEntry } from './tasks.ts'

/** Finds agents for a task that has no addressee. */

/** Capabilities that the task requires and the agent lacks. */
export const lacks = (doc: Y.Doc, { requires = [] }: TaskFacts, id: AgentId): string[] => {
  if (requires.length === 0) return []
  const has = capabilitiesOf(doc, id)
  return requires.filter((one) => !has.includes(one))
}

/** Tells whether the agent is the addressee of the task, alone or among others. */
export const isAddressee = (doc: Y.Doc, facts: TaskFacts, id: AgentId): boolean =>
  facts.to === null
    ? agentRecord(doc, id) !== undefined && lacks(doc, facts, id).length === 0
    : facts.to === id

/** Tells whether the agent could claim the task now. */
export const isTakeable = (
  doc: Y.Doc,
  { facts, status }: TaskEntry,
  id: AgentId,
  find: (id: NonNullable<TaskFacts['after']>[number]) => TaskEntry | undefined,
): boolean =>
  status.state === 'submitted' &&
  facts.approver !== id &&
  isAddressee(doc, facts, id) &&
  blockers(facts, find).length === 0

/** Sort order: the more urgent first, then the older, then by id. */
export const byUrgency = (a: TaskEntry, b: TaskEntry): number =>
  PRIORITIES.indexOf(b.facts.priority) - PRIORITIES.indexOf(a.facts.priority) ||
  a.facts.createdAt - b.facts.createdAt ||
  (a.id < b.id ? -1 : 1)

/** An agent's past and present work, as far as the document shows it. */
export interface TrackRecord {
  /** Tasks it owns now (count). */
  load: number
  completed: number
  /** Tasks that it failed, released, or lost with a lease (count). */
  failed: number
}

/** The records of all agents. */
export const recordsOf = (tasks: Iterable<TaskEntry>): Map<AgentId, TrackRecord> => {
  const records = new Map<AgentId, TrackRecord>()
  const of = (id: AgentId): TrackRecord => {
    const known = records.get(id) ?? { load: 0, completed: 0, failed: 0 }
    records.set(id, known)
    return known
  }
  for (const { status } of tasks) {
    const { owner, state, lost = [] } = status
    for (const id of lost) of(id).failed++
    if (owner === null) continue
    if (!isTerminal(state)) of(owner).load++
    else if (state === 'completed') of(owner).completed++
    else if (state === 'failed') of(owner).failed++
  }
  return records
}

/** Laplace's rule of succession: an agent without a record ranks between a good and a bad one. */
const reliability = ({ completed, failed }: TrackRecord): number =>
  (completed + 1) / (completed + failed + 2)

const STATUS_ORDER: readonly Agent['status'][] = ['online', 'idle', 'stale', 'offline']
const NOTHING: TrackRecord = { load: 0, completed: 0, failed: 0 }

/**
 * The agents that may be asked to take the task, best first: connected before absent ones, then by
 * load, then by the part of their tasks that ended well; agents that lost this task come last.
 * Leaves out its creator, its approver and agents that declined it.
 */
export const candidates = (
  doc: Y.Doc,
  { facts, status }: TaskEntry,
  agents: readonly Agent[],
  records: ReadonlyMap<AgentId, TrackRecord>,
): AgentId[] => {
  const of = (id: AgentId) => records.get(id) ?? NOTHING
  const isLost = ({ agent_id: id }: Agent) => Number(status.lost?.includes(id) ?? false)
  const order = (a: Agent, b: Agent): number =>
    isLost(a) - isLost(b) ||
    STATUS_ORDER.indexOf(a.status) - STATUS_ORDER.indexOf(b.status) ||
    of(a.agent_id).load - of(b.agent_id).load ||
    reliability(of(b.agent_id)) - reliability(of(a.agent_id)) ||
    (a.agent_id < b.agent_id ? -1 : 1)
  return agents
    .filter(({ agent_id: id }) => isAddressee(doc, facts, id))
    .filter(({ agent_id: id }) => id !== facts.from && id !== facts.approver)
    .filter(({ agent_id: id }) => !status.declined?.includes(id))
    .sort(order)
    .map(({ agent_id }) => agent_id)
}

/** Throws `no_candidate` where no registered agent could take a task with these facts. */
export const needCandidate = (doc: Y.Doc, facts: TaskFacts): void => {
  const { requires = [] } = facts
  if (requires.length === 0) return
  const all = listAgents(doc, { present: new Set(), now: 0 })
  const able = all.filter(({ agent_id: id }) => id !== facts.from && id !== facts.approver)
  if (able.some(({ agent_id }) => lacks(doc, facts, agent_id).length === 0)) return
  const known = [...new Set(able.flatMap(({ capabilities }) => capabilities))]
  const missing = requires.filter((one) => !known.includes(one))
  throw new ClawError(
    'no_candidate',
    missing.length > 0
      ? `nobody else here has ${missing.join(', ')}`
      : `nobody else here has all of ${requires.join(', ')}`,
    missing.map((one) => didYouMean(one, known)).find((near) => near !== '') ||
      'discover shows who has what; --later waits for one who joins, --anyone asks everybody',
  )
}
