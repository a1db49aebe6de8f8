import type * as Y from 'yjs'
import { shorten } from '../../lib/text/shorten.ts'
import type { AgentId } from '../../protocol/ids.ts'
import { isoTime, type TaskState } from '../document/schema.ts'
import { someBroadcasts } from '../messages/live-log.ts'
import { receiptOf } from '../tasks/receipts.ts'
import { listTasks, taskHistory } from '../tasks/tasks.ts'

/** The delivery state of a message. A broadcast has only the first and the last. */
export type SentState = 'stored' | 'delivered' | 'read' | 'answered'

/** The state of a sent message, for its sender. */
export interface SentMessage {
  type: 'task_delegation' | 'direct_message' | 'knowledge_broadcast'
  message_id: string
  to_agent: string | null
  timestamp: string
  /** The beginning of its text. */
  content: string
  state: SentState
  delivered_at: string | null
  read_at: string | null
  replies: number
  /** Of a task. */
  status?: TaskState
}

/** Characters of each message that are shown. */
const CONTENT_CHARACTERS = 80

/**
 * The newest tasks and live messages that `me` sent, oldest first. Archived messages have no
 * receipts.
 */
export const sentMessages = (doc: Y.Doc, me: AgentId, limit: number): SentMessage[] => {
  const live = [...someBroadcasts(doc)]
  const replies = new Map<string, number>()
  for (const { replyTo, from } of live) {
    if (replyTo !== undefined && from !== me) replies.set(replyTo, (replies.get(replyTo) ?? 0) + 1)
  }
  const fate = (id: string, to: AgentId | null, answered: boolean) => {
    const { delivered, read } = receiptOf(doc, id, to) ?? {}
    const count = replies.get(id) ?? 0
    let state: SentState = 'stored'
    if (answered || count > 0) state = 'answered'
    else if (read !== undefined) state = 'read'
    else if (delivered !== undefined) state = 'delivered'
    const time = (ms: number | undefined) => (ms === undefined ? null : isoTime(ms))
    return { state, delivered_at: time(delivered), read_at: time(read), replies: count }
  }
  const said = live
    .filter(({ from }) => from === me)
    .map(
      ({ id, to, content, at }): SentMessage => ({
        type: to === undefined ? 'knowledge_broadcast' : 'direct_message',
        message_id: id,
        to_agent: to ?? null,
        timestamp: isoTime(at),
        content: shorten(content, CONTENT_CHARACTERS),
        ...fate(id, to ?? null, false),
      }),
    )
  const given = listTasks(doc)
    .filter(({ from_agent }) => from_agent === me)
    .map(
      ({ task_id, to_agent, created_at, task, status }): SentMessage => ({
        type: 'task_delegation',
        message_id: task_id,
        to_agent,
        timestamp: created_at,
        content: shorten(task, CONTENT_CHARACTERS),
        ...fate(
          task_id,
          to_agent,
          taskHistory(doc, task_id).some(({ by }) => by !== me),
        ),
        status,
      }),
    )
  return [...said, ...given]
    .sort((a, b) => (a.timestamp < b.timestamp ? -1 : a.timestamp > b.timestamp ? 1 : 0))
    .slice(-limit)
}
