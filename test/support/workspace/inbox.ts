import type * as Y from 'yjs'
import type { AgentId } from '../../../protocol/ids.ts'
import { type Here, registerAgent } from '../../../workspace/agents/agents.ts'
import type { Priority } from '../../../workspace/document/schema.ts'
import { fileVersions } from '../../../workspace/files/edit-counts.ts'
import { messagesSince, type StateVector } from '../../../workspace/inbox/inbox.ts'
import { addBroadcast, type NewBroadcast } from '../../../workspace/messages/broadcasts.ts'
import type { Message } from '../../../workspace/messages/message.ts'
import { addNote, addTask } from '../../../workspace/tasks/tasks.ts'
import { agentId, broadcastId, cursor, settle, taskId } from './replicas.ts'

export const ann = agentId('ann')
export const bob = agentId('bob')
export const here: Here = { present: new Set(), now: 5000 }

/** What is new for an agent since a cursor. */
export const inbox = (doc: Y.Doc, since: StateVector, me = ann): Message[] =>
  messagesSince(doc, since, me, here, fileVersions(doc))

export const idsOf = (messages: readonly Message[]) => messages.map(({ message_id }) => message_id)

/** Says something to everybody, as another agent. */
export const say = (
  doc: Y.Doc,
  name: string,
  from = bob,
  now = 1,
  more: Partial<NewBroadcast> = {},
) =>
  addBroadcast(doc, {
    ...{ id: broadcastId(name), from, content: name, topic: '', tags: [], now },
    ...more,
  })

export const register = (doc: Y.Doc, id: AgentId, name: string = id, topics?: string[]) =>
  registerAgent(doc, { id, name, capabilities: [], topics, machine: '', description: '', now: 1 })

/** Delegates a task, and files it. */
export const give = (
  doc: Y.Doc,
  name: string,
  from: AgentId,
  to: AgentId | null,
  priority: Priority = 'high',
) => {
  addTask(doc, {
    id: taskId(name),
    description: name,
    context: null,
    priority,
    from,
    to,
    now: 1,
  })
  settle(doc)
}

/** Writes a note, and files it. */
export const note = (doc: Y.Doc, task: string, by: AgentId, text: string, now: number) => {
  addNote(doc, task, by, text, now)
  settle(doc)
}

/** A reader of a replica that looks now and then, as an agent's inbox does. */
export const reader = (doc: Y.Doc, me = ann) => {
  let since = cursor(doc)
  return (): Message[] => {
    const messages = inbox(doc, since, me)
    since = cursor(doc)
    return messages
  }
}
