import * as Y from 'yjs'
import { type Agent, type Here, hasAgent, listAgents } from './agents.ts'
import type { AgentId, FileKey } from './ids.ts'
import {
  agentsOf,
  type BroadcastEntry,
  broadcastsOf,
  EDITS_PREFIX,
  type EditCount,
  filesOf,
  isoTime,
  type Json,
  type Priority,
  type Transition,
  tasksOf,
} from './schema.ts'
import { isBroadcast, isEditCount, isTransition, taskRecord } from './shape.ts'
import { getTask, state1x } from './tasks.ts'

interface Envelope {
  message_id: string
  from_agent: string
  to_agent: string | null
  timestamp: string
}

/** What `poll` hands out, with ClawLink 1.x's field names. */
export type Message =
  | (Envelope & { type: 'task_delegation'; task: string; context: Json; priority: Priority })
  | (Envelope & { type: 'task_response'; result: string; status: string })
  | (Envelope & { type: 'knowledge_broadcast'; content: string; topic: string; tags: string[] })
  | (Envelope & { type: 'file_updated'; file_key: string; version: number; last_editor: string })
  | (Envelope & { type: 'agent_joined'; agent: Agent })

/** A Yjs state vector: client id → number of its operations that are covered. */
export type StateVector = ReadonlyMap<number, number>

/** What one pass over new operations found: broadcasts and the like, before they are made into messages. */
interface Found {
  broadcasts: BroadcastEntry[]
  tasks: Set<string>
  transitions: { task: string; transition: Transition }[]
  agents: Set<string>
  edits: Map<string, EditCount>
}

/**
 * The messages for agent `me` among the operations that `doc` has and `since` does not cover.
 *
 * A state vector is the one cursor that neither skips nor repeats: it names exactly the operations a replica has
 * integrated, so an offline peer's entries that merge in *before* others are found all the same, which no index
 * into an array would do. Costs time in the number of new operations, not in the size of the document.
 */
export const messagesSince = (
  doc: Y.Doc,
  since: StateVector,
  me: AgentId,
  here: Here,
  versionOf: (file: string) => { file_key: FileKey; version: number } | null,
): Message[] => {
  const found = collect(doc, since, me)
  const messages: Message[] = []

  for (const { id, from, to, topic, tags, content, at } of found.broadcasts) {
    if (from === me || (to !== undefined && to !== me)) continue
    messages.push({
      type: 'knowledge_broadcast',
      message_id: id,
      from_agent: from,
      to_agent: to ?? null,
      timestamp: isoTime(at),
      content,
      topic,
      tags,
    })
  }
  for (const id of found.tasks) {
    const { task, context, priority, from_agent, to_agent, created_at } = getTask(doc, id)
    if (to_agent !== me) continue
    messages.push({
      type: 'task_delegation',
      message_id: id,
      from_agent,
      to_agent,
      timestamp: created_at,
      task,
      context,
      priority,
    })
  }
  for (const { task, transition } of found.transitions) {
    const { from_agent } = getTask(doc, task)
    if (from_agent !== me || transition.by === me) continue
    messages.push({
      type: 'task_response',
      message_id: task,
      from_agent: transition.by,
      to_agent: me,
      timestamp: isoTime(transition.at),
      result: transition.message,
      status: state1x(transition.state),
    })
  }
  for (const [file, { agent, at }] of found.edits) {
    const info = versionOf(file)
    if (info === null) continue
    messages.push({
      type: 'file_updated',
      message_id: `${info.file_key}@${info.version}`,
      from_agent: agent,
      to_agent: null,
      timestamp: isoTime(at),
      ...info,
      last_editor: agent,
    })
  }
  if (found.agents.size > 0) {
    for (const agent of listAgents(doc, here)) {
      if (agent.agent_id === me || !found.agents.has(agent.agent_id)) continue
      messages.push({
        type: 'agent_joined',
        message_id: `${agent.agent_id}@${agent.registered_at}`,
        from_agent: agent.agent_id,
        to_agent: null,
        timestamp: agent.registered_at,
        agent,
      })
    }
  }
  return messages.sort(byTime)
}

const byTime = (a: Message, b: Message): number => {
  if (a.timestamp !== b.timestamp) return a.timestamp < b.timestamp ? -1 : 1
  return a.message_id < b.message_id ? -1 : a.message_id > b.message_id ? 1 : 0
}

const collect = (doc: Y.Doc, since: StateVector, me: AgentId): Found => {
  const found: Found = {
    broadcasts: [],
    tasks: new Set(),
    transitions: [],
    agents: new Set(),
    edits: new Map(),
  }
  const roots = { agents: agentsOf(doc), tasks: tasksOf(doc), broadcasts: broadcastsOf(doc) }
  filesOf(doc)
  const editsOfFile = new Map<unknown, string>()
  for (const name of doc.share.keys()) {
    if (name.startsWith(EDITS_PREFIX)) {
      editsOfFile.set(doc.getMap(name), name.slice(EDITS_PREFIX.length))
    }
  }

  for (const [client, structs] of doc.store.clients) {
    const from = since.get(client) ?? 0
    const last = structs[structs.length - 1]
    if (last === undefined || last.id.clock + last.length <= from) continue
    for (let i = Y.findIndexSS(structs, from); i < structs.length; i++) {
      const item = structs[i]
      if (!(item instanceof Y.Item) || item.deleted) continue
      const key = item.parentSub
      if (item.parent === roots.broadcasts) {
        // Yjs joins neighbouring elements of one client into one item, of which a part may be covered.
        found.broadcasts.push(...valuesFrom(item, from).filter(isBroadcast))
      } else if (item.parent === roots.tasks) {
        if (key !== null && taskRecord(doc, key) !== undefined) found.tasks.add(key)
      } else if (item.parent === roots.agents) {
        if (key !== null && hasAgent(doc, key) && item.origin === null) found.agents.add(key)
      } else if (editsOfFile.has(item.parent)) {
        const [edit] = valuesFrom(item, from)
        if (!isEditCount(edit) || edit.agent === me) continue // my own edit must not hide another's before it
        const file = editsOfFile.get(item.parent)!
        const known = found.edits.get(file)
        if (known === undefined || known.at < edit.at) found.edits.set(file, edit)
      } else {
        const task = taskOfHistory(item.parent, roots.tasks)
        if (task === null) continue
        for (const transition of valuesFrom(item, from).filter(isTransition)) {
          found.transitions.push({ task, transition })
        }
      }
    }
  }
  return found
}

const valuesFrom = (item: Y.Item, from: number): unknown[] =>
  item.content.getContent().slice(Math.max(0, from - item.id.clock))

/** The id of the task whose `history` array `parent` is; null if it is something else. */
const taskOfHistory = (parent: Y.Item['parent'], tasks: unknown): string | null => {
  const array = parent instanceof Y.AbstractType ? parent._item : null
  if (array?.parentSub !== 'history') return null
  const task = array.parent instanceof Y.AbstractType ? array.parent._item : null
  if (task === null || task.parent !== tasks || task.deleted) return null
  return task.parentSub
}
