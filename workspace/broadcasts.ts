import type * as Y from 'yjs'
import type { AgentId, BroadcastId } from './ids.ts'
import { MAX_MESSAGE_BYTES } from './limits.ts'
import { type BroadcastEntry, broadcastsOf } from './schema.ts'
import { checkName, checkNames, within } from './validate.ts'

export interface NewBroadcast {
  id: BroadcastId
  from: AgentId
  content: string
  topic: string
  tags: readonly string[]
  now: number
}

/** Appends a broadcast to the log. Throws `too_large`, `bad_name`. */
export const addBroadcast = (doc: Y.Doc, message: NewBroadcast): BroadcastEntry => {
  const entry: BroadcastEntry = {
    id: message.id,
    from: message.from,
    topic: message.topic.trim() === '' ? 'general' : checkName('topic', message.topic),
    tags: checkNames('tags', message.tags),
    content: within('content', message.content, MAX_MESSAGE_BYTES),
    at: message.now,
  }
  broadcastsOf(doc).push([entry])
  return entry
}
