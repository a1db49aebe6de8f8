import type * as Y from 'yjs'
import type { AgentId, BroadcastId } from '../../protocol/ids.ts'
import { MAX_MESSAGE_BYTES } from '../../protocol/limits.ts'
import { topicsOf } from '../agents/agents.ts'
import { type BroadcastEntry, isoTime } from '../document/schema.ts'
import { checkLabel, checkNames, checkSaid } from '../document/validate.ts'
import { appendBroadcast } from './live-log.ts'
import type { Message } from './message.ts'
import { type Trace, traceFields, traceIn } from './trace.ts'

export interface NewBroadcast {
  id: BroadcastId
  from: AgentId
  /** Makes it a direct message. The agent must exist. */
  to?: AgentId | undefined
  content: string
  topic: string
  tags: readonly string[]
  replyTo?: string | undefined
  trace?: Trace | null
  now: number
}

/** Appends a broadcast or a direct message to the log. Throws `usage`, `too_large`, `bad_name`. */
export const addBroadcast = (doc: Y.Doc, message: NewBroadcast): BroadcastEntry => {
  const { to, replyTo } = message
  return appendBroadcast(doc, {
    id: message.id,
    from: message.from,
    ...(to !== undefined && { to }),
    topic: message.topic.trim() === '' ? 'general' : checkLabel('topic', message.topic),
    tags: checkNames('tags', message.tags),
    content: checkSaid('content', message.content, MAX_MESSAGE_BYTES),
    at: message.now,
    ...(replyTo !== undefined && { replyTo: checkLabel('reply-to', replyTo) }),
    ...traceFields(message.trace),
  })
}

export type BroadcastMessage = Extract<Message, { type: 'knowledge_broadcast' }>
export type DirectMessage = Extract<Message, { type: 'direct_message' }>

/** An entry of the log as every face shows it: a broadcast with ClawLink 1.x's fields, or a direct message. */
export const broadcastMessage = (entry: BroadcastEntry): BroadcastMessage | DirectMessage => {
  const { id, from, to, topic, tags, content, at, replyTo } = entry
  const envelope = { message_id: id, from_agent: from, timestamp: isoTime(at), ...traceIn(entry) }
  if (to !== undefined) {
    const reply_to = replyTo ?? null
    return { type: 'direct_message', ...envelope, to_agent: to, content, topic, tags, reply_to }
  }
  return {
    type: 'knowledge_broadcast',
    ...envelope,
    to_agent: null,
    content,
    topic,
    tags,
    ...(replyTo !== undefined && { reply_to: replyTo }),
  }
}

/**
 * Tells whether an entry belongs in the inbox of `me`: direct messages to it, and broadcasts of
 * others on its topics.
 */
export const isFor = (doc: Y.Doc, me: AgentId): ((entry: BroadcastEntry) => boolean) => {
  const topics = topicsOf(doc, me)
  return ({ from, to, topic }) => {
    if (from === me) return false
    if (to !== undefined) return to === me
    return topics.length === 0 || topics.includes(topic)
  }
}
