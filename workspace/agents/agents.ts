import * as Y from 'yjs'
import { didYouMean } from '../../lib/text/suggest.ts'
import { ClawError } from '../../protocol/errors.ts'
import { type AgentId, otherKind } from '../../protocol/ids.ts'
import { MAX_DESCRIPTION_BYTES, MAX_NOTE_BYTES } from '../../protocol/limits.ts'
import { checkFreeName, type Named, nameKey } from '../../protocol/name-space.ts'
import { idText, shownName } from '../document/names.ts'
import * as records from '../document/records.ts'
import { type AgentFields, agentsOf, isoTime } from '../document/schema.ts'
import { agentRecord, agentRecords, isPaused } from '../document/shape.ts'
import { checkDisplayName, checkLabel, checkNames, within } from '../document/validate.ts'
import { must, type Rule, time } from '../document/values.ts'
import {
  type Activity,
  type AgentStatus,
  agentStatus,
  asLinkState,
  PRESENCE_LAG_MS,
} from './presence.ts'

/** An agent as every face shows it (ClawLink 1.x's field names). */
export interface Agent {
  agent_id: AgentId
  name: string
  kind: 'agent' | 'person'
  capabilities: string[]
  /** Topics whose broadcasts reach its inbox; empty: all. */
  topics: string[]
  machine: string
  description: string
  status: AgentStatus
  /** The activity that it reported; only while it is connected. */
  activity?: { note?: string; task?: string }
  /** The request to start no new work until it is resumed; absent: none. */
  paused?: { by: AgentId; at: string; note: string }
  registered_at: string
  last_heartbeat: string
}

/** The input of an agent's status: the connected agents, their activities and the time. */
export interface Here {
  present: ReadonlySet<AgentId>
  activities?: ReadonlyMap<AgentId, Activity>
  now: number
}

/**
 * The input of an agent's status at `now` (milliseconds since the epoch). It calls `read` once, on the first look at the
 * agents: most callers need the time only, and listings look once per agent.
 */
export const hereOf = (read: () => ReadonlyMap<AgentId, Activity>, now: number): Here => {
  let found: Required<Pick<Here, 'present' | 'activities'>> | null = null
  const all = () => {
    if (found === null) {
      const activities = read()
      found = { present: new Set(activities.keys()), activities }
    }
    return found
  }
  return {
    get present() {
      return all().present
    },
    get activities() {
      return all().activities
    },
    now,
  }
}

export interface Registration {
  id: AgentId
  name: string
  /** Absent: unchanged; `agent` for a new one. */
  kind?: 'agent' | 'person' | undefined
  capabilities: readonly string[]
  /** Absent: unchanged. */
  topics?: readonly string[] | undefined
  machine: string
  description: string
  now: number
  /**
   * The connected agents: a name that one of them has is not given to another agent. Absent:
   * unknown, or irrelevant.
   */
  here?: Here | undefined
}

/** Registers an agent, or updates the one that has this id. Throws `bad_name`, `name_taken`, `too_large`. */
export const registerAgent = (doc: Y.Doc, agent: Registration): void => {
  const fields: Omit<AgentFields, 'lastSeenAt' | 'registeredAt' | 'paused'> = {
    ...(agent.kind !== undefined && agent.kind !== kindOf(doc, agent.id) && { kind: agent.kind }),
    name: checkDisplayName('name', agent.name),
    capabilities: checkNames('capabilities', agent.capabilities),
    machine: agent.machine.trim() === '' ? '' : checkLabel('machine', agent.machine),
    description: within('description', agent.description.trim(), MAX_DESCRIPTION_BYTES),
    topics:
      agent.topics === undefined ? topicsOf(doc, agent.id) : checkNames('topics', agent.topics),
  }
  checkFreeName(agent.id, fields.name, agentNames(doc))
  if (agent.here !== undefined) checkNotHere(doc, agent.id, fields.name, agent.here)
  doc.transact(() => {
    const agents = agentsOf(doc)
    let record = agentRecord(doc, agent.id)
    if (record === undefined) {
      record = new Y.Map<unknown>([['registeredAt', agent.now]])
      agents.set(agent.id, record)
    }
    for (const [key, value] of Object.entries(fields)) {
      if (JSON.stringify(record.get(key)) !== JSON.stringify(value)) record.set(key, value)
    }
  })
}

/**
 * Throws `name_taken` where another agent that is here has this name. An agent keeps its own name.
 */
const checkNotHere = (doc: Y.Doc, me: AgentId, name: string, here: Here): void => {
  const key = nameKey(name)
  const own = agentRecord(doc, me)
  if (own !== undefined && nameKey(nameIn(own, me)) === key) return
  for (const [id, record] of agentRecords(doc)) {
    if (id === me || nameKey(nameIn(record, id)) !== key) continue
    if (!isHere(record, id as AgentId, here)) continue
    throw new ClawError(
      'name_taken',
      `the name "${name}" is taken by an agent that is here: ${idText(id)}`,
      'register by another name; this one is free once that agent leaves or is offline',
    )
  }
}

/** Tells whether an agent is connected, or was so recently that it does not count as offline. */
const isHere = (record: Y.Map<unknown>, id: AgentId, here: Here): boolean =>
  statusOf(record, id, here) !== 'offline'

const statusOf = (record: Y.Map<unknown>, id: AgentId, here: Here): AgentStatus => {
  const { state = 'active' } = here.activities?.get(id) ?? {}
  const shown = here.present.has(id) ? { state } : null
  const link = asLinkState(record.get('link'))
  // The presence of a new agent is still on its way.
  const isNew = link === 'up' && here.now - timeIn(record, 'registeredAt') < PRESENCE_LAG_MS
  return agentStatus(shown, isNew ? null : link, here.now - seenAt(record))
}

/**
 * Asks an agent to pause, or with null to resume; its `prime` and `poll` report it. Throws
 * `unknown_agent`, `too_large`.
 */
export const setPaused = (
  doc: Y.Doc,
  id: AgentId,
  paused: { by: AgentId; now: number; note: string } | null,
): void => {
  const record = agentRecord(doc, id)
  if (record === undefined) throw unknownAgent(doc, id)
  if (paused === null) {
    if (record.has('paused')) record.delete('paused')
    return
  }
  const note = within('note', paused.note.trim(), MAX_NOTE_BYTES)
  record.set('paused', must(records.paused, { by: paused.by, at: paused.now, note }, 'the pause'))
}

/** The request that the agent pause: by, when and why; null: nobody asked. */
export const pausedBy = (doc: Y.Doc, id: string): NonNullable<Agent['paused']> | null => {
  const paused = agentRecord(doc, id)?.get('paused')
  return isPaused(paused) ? { by: paused.by, at: isoTime(paused.at), note: paused.note } : null
}

/** Notes that the server saw this agent; does nothing for an unknown one. Server only. */
export const markSeen = (doc: Y.Doc, id: AgentId, now: number): void => {
  agentRecord(doc, id)?.set('lastSeenAt', now)
}

/** Milliseconds since the epoch; 0 for an unknown agent. */
export const lastSeen = (doc: Y.Doc, id: AgentId): number => {
  const record = agentRecord(doc, id)
  return record === undefined ? 0 : seenAt(record)
}

export const hasAgent = (doc: Y.Doc, id: string): id is AgentId =>
  agentRecord(doc, id) !== undefined

/** Every agent's id and name. */
export const agentNames = function* (doc: Y.Doc): Generator<Named> {
  for (const [id, record] of agentRecords(doc)) yield { id, name: nameIn(record, id) }
}

/** The topics whose broadcasts the agent receives; empty: all. */
export const topicsOf = (doc: Y.Doc, id: string): string[] => {
  const record = agentRecord(doc, id)
  return record === undefined ? [] : listIn(record, 'topics')
}

/** The capabilities that the agent declares. */
export const capabilitiesOf = (doc: Y.Doc, id: string): string[] => {
  const record = agentRecord(doc, id)
  return record === undefined ? [] : listIn(record, 'capabilities')
}

/** The agent's name as `shownName` shows it; its id where it has no name. */
export const agentName = (doc: Y.Doc, id: string): string => {
  const record = agentRecord(doc, id)
  return record === undefined ? shownName(id) : nameIn(record, id)
}

export const kindOf = (doc: Y.Doc, id: string): Agent['kind'] =>
  agentRecord(doc, id)?.get('kind') === 'person' ? 'person' : 'agent'

/** Also shows names that were written before the grammar. */
const nameIn = (record: Y.Map<unknown>, id: string): string => {
  const name = record.get('name')
  return shownName(typeof name !== 'string' || name.trim() === '' ? id : name)
}

/** A field of an agent's record; what breaks the grammar counts as absent. */
const fieldIn = <T>(
  record: Y.Map<unknown>,
  field: keyof AgentFields,
  { problem }: Rule,
  otherwise: T,
): T => {
  const value = record.get(field)
  return value === undefined || problem(value) !== null ? otherwise : (value as T)
}

const listIn = (record: Y.Map<unknown>, field: 'capabilities' | 'topics'): string[] =>
  fieldIn(record, field, records.labelList, [])

const timeIn = (record: Y.Map<unknown>, field: 'lastSeenAt' | 'registeredAt'): number =>
  fieldIn(record, field, time, 0)

const seenAt = (record: Y.Map<unknown>): number =>
  Math.max(timeIn(record, 'lastSeenAt'), timeIn(record, 'registeredAt'))

const readAgent = (doc: Y.Doc, id: AgentId, record: Y.Map<unknown>, here: Here): Agent => {
  const present = here.present.has(id)
  const { state: _, ...activity } = here.activities?.get(id) ?? {}
  const paused = pausedBy(doc, id)
  return {
    agent_id: id,
    name: nameIn(record, id),
    kind: kindOf(doc, id),
    capabilities: listIn(record, 'capabilities'),
    topics: listIn(record, 'topics'),
    machine: fieldIn(record, 'machine', records.machine, ''),
    description: fieldIn(record, 'description', records.description, ''),
    status: statusOf(record, id, here),
    ...(Object.keys(activity).length > 0 && { activity }),
    ...(paused !== null && { paused }),
    registered_at: isoTime(timeIn(record, 'registeredAt')),
    last_heartbeat: isoTime(present ? here.now : seenAt(record)),
  }
}

/** All agents, by name, then id. */
export const listAgents = (doc: Y.Doc, here: Here): Agent[] => {
  const agents: Agent[] = []
  for (const [id, record] of agentRecords(doc))
    agents.push(readAgent(doc, id as AgentId, record, here))
  return agents.sort((a, b) => compare(a.name, b.name) || compare(a.agent_id, b.agent_id))
}

/** The agents that are online or idle (count). */
export const countOnline = (doc: Y.Doc, here: Here): number => {
  let count = 0
  for (const [id, record] of agentRecords(doc)) {
    const status = statusOf(record, id as AgentId, here)
    if (status === 'online' || status === 'idle') count++
  }
  return count
}

/** One agent; throws `unknown_agent`. */
export const getAgent = (doc: Y.Doc, id: AgentId, here: Here): Agent => {
  const record = agentRecord(doc, id)
  if (record === undefined) throw unknownAgent(doc, id)
  return readAgent(doc, id, record, here)
}

/** The form of ids that ClawLink makes. Such a name never reaches an agent. */
const isMadeId = (text: string): boolean => /^a-[0-9a-z]{12}$/.test(text)

/**
 * Finds an agent by id or name, which share one name space: an id that is also the name of another
 * agent reaches neither. Of several agents with one name it returns the one that is here, otherwise
 * the one that has not left. Throws `unknown_agent` with a did-you-mean, or `ambiguous`.
 */
export const resolveAgent = (doc: Y.Doc, nameOrId: string, here?: Here): AgentId => {
  const known = hasAgent(doc, nameOrId)
  if (known && isMadeId(nameOrId)) return nameOrId
  const wanted = shownName(nameOrId.trim().normalize('NFC'))
  const exact: AgentId[] = []
  const loose: AgentId[] = []
  for (const [id, record] of agentRecords(doc)) {
    const name = nameIn(record, id)
    if (id === nameOrId) continue
    if (name === wanted) exact.push(id as AgentId)
    else if (name.toLowerCase() === wanted.toLowerCase()) loose.push(id as AgentId)
  }
  const called = meant(doc, exact, loose, here)
  const found = known ? [nameOrId, ...called] : [...called]
  if (found.length === 1 && !isReserved(wanted)) return found[0]!
  if (found.length <= 1) throw unknownAgent(doc, nameOrId)
  const ids = found.sort().slice(0, SHOWN_IDS).map(idText).join(', ')
  throw new ClawError(
    'ambiguous',
    known
      ? `"${nameOrId}" is the id of one agent and the name of another: ${ids}`
      : `${found.length} agents are named "${nameOrId}"`,
    known ? 'use the id of the one that is named so' : `use an id: ${ids}`,
  )
}

/** Of agents with one name those that are here, if any; agents that have left come last. */
const meant = (
  doc: Y.Doc,
  exact: readonly AgentId[],
  loose: readonly AgentId[],
  here: Here | undefined,
): readonly AgentId[] => {
  const record = (id: AgentId) => agentRecord(doc, id)!
  const staying = (ids: readonly AgentId[]) =>
    ids.filter((id) => here?.present.has(id) || asLinkState(record(id).get('link')) !== 'down')
  const inOrder = [staying(exact), staying(loose), exact, loose]
  const found = inOrder.find(({ length }) => length > 0) ?? []
  const present = here === undefined ? [] : found.filter((id) => isHere(record(id), id, here))
  return present.length > 0 ? present : found
}

/** Names of the server and its operator: they reach no agent. */
const isReserved = (name: string): boolean => /^(server|owner)$/i.test(name)
/** Ids that an error shows (count). */
const SHOWN_IDS = 8

const unknownAgent = (doc: Y.Doc, typed: string): ClawError => {
  const known: string[] = []
  for (const [id, record] of agentRecords(doc)) known.push(id, nameIn(record, id))
  return new ClawError(
    'unknown_agent',
    `no agent "${typed}" in this workspace${otherKind(typed, 'a')}`,
    didYouMean(typed, known) || 'run discover to see who is here',
  )
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
