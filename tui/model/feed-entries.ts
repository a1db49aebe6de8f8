import type * as Y from 'yjs'
import type { AgentId, BroadcastId, FileKey } from '../../protocol/ids.ts'
import type { Agent } from '../../workspace/agents/agents.ts'
import { type BroadcastEntry, isoTime } from '../../workspace/document/schema.ts'
import { fileEntries } from '../../workspace/document/shape.ts'
import type { BroadcastMessage, DirectMessage } from '../../workspace/messages/broadcasts.ts'
import { someBroadcasts } from '../../workspace/messages/live-log.ts'
import { type Task, taskHistory } from '../../workspace/tasks/tasks.ts'
import { stepWords } from '../text/task-words.ts'
import type { FeedEntry } from './feed.ts'
import type { FileLine } from './snapshot.ts'

/** The messages that `me` may read: direct messages are visible to sender and receiver only. */
export const saidEntry = (entry: BroadcastEntry, me: AgentId | null): FeedEntry | null => {
  const { id, from, to, topic, content, at, replyTo } = entry
  if (to !== undefined && to !== me && from !== me) return null
  return {
    ...{ id, at, from, to: to ?? null, topic, text: content },
    kind: to === undefined ? 'broadcast' : 'direct',
    ...(replyTo !== undefined && { replyTo }),
  }
}

/** A message of the server's log as the document has it. */
export const broadcastOf = (message: BroadcastMessage | DirectMessage): BroadcastEntry => {
  const { message_id, from_agent, to_agent, timestamp, content, topic, tags, reply_to } = message
  return {
    id: message_id as BroadcastId,
    from: from_agent as AgentId,
    ...(to_agent !== null && { to: to_agent as AgentId }),
    ...{ topic, tags, content, at: Date.parse(timestamp) },
    ...(reply_to != null && { replyTo: reply_to }),
  }
}

export const saidEntries = function* (doc: Y.Doc, me: AgentId | null): Generator<FeedEntry> {
  for (const broadcast of someBroadcasts(doc)) {
    const entry = saidEntry(broadcast, me)
    if (entry !== null) yield entry
  }
}

/** The events of a task: creation, each transition, each note. */
export const taskEntries = function* (doc: Y.Doc, task: Task): Generator<FeedEntry> {
  const { task_id, from_agent, to_agent, notes } = task
  const common = { topic: '', task: task_id }
  const at = Date.parse(task.created_at)
  const text = `delegated: ${task.task}`
  const created = { id: task_id, at, from: from_agent, to: to_agent, text, ...common }
  yield { ...created, kind: 'task', state: 'submitted' }
  for (const { state, event, by, message, at: moved, revision } of taskHistory(doc, task_id)) {
    const id = `${task_id}#${revision}`
    const did = stepWords(state, event)
    const words = message === '' ? did : `${did}: ${message}`
    const text = `${words} (${task.task})`
    yield { id, at: moved, kind: 'task', from: by, to: null, text, state, ...common }
  }
  for (const note of notes) {
    const { by, text } = note
    const id = `${task_id}/${by}/${note.at}`
    yield {
      id,
      at: Date.parse(note.at),
      kind: 'note',
      from: by as AgentId,
      to: null,
      text: `${text} (${task.task})`,
      ...common,
    }
  }
}

/** Edits of one file by one agent within this time, in milliseconds, are one entry. */
const ONE_EDIT_MS = 60_000

export const fileEntry = ({ info }: FileLine): FeedEntry => {
  const { file_key, last_editor, updated_at, version } = info
  const at = Date.parse(updated_at)
  return {
    id: `${file_key}@${last_editor}@${Math.floor(at / ONE_EDIT_MS)}`,
    ...{ at, kind: 'file', from: last_editor, to: null, topic: '', file: file_key },
    text: `${file_key} version ${version}`,
  }
}

export const removedEntries = function* (doc: Y.Doc): Generator<FeedEntry> {
  for (const [path, { removed }] of fileEntries(doc)) {
    if (removed === undefined) continue
    const { by, at, movedTo } = removed
    const text = movedTo === undefined ? `${path} removed` : `${path} is now ${movedTo}`
    const file = movedTo ?? (path as FileKey)
    yield {
      id: `${path}@${isoTime(at)}`,
      at,
      kind: 'file',
      from: by,
      to: null,
      topic: '',
      text,
      file,
    }
  }
}

export const agentEntry = ({ agent_id, name, machine, registered_at }: Agent): FeedEntry => ({
  id: `${agent_id}@joined`,
  ...{ at: Date.parse(registered_at), kind: 'agent', from: agent_id, to: null, topic: '' },
  text: machine === '' ? `${name} joined` : `${name} joined from ${machine}`,
})
