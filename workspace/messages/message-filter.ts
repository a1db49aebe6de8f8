import type * as Y from 'yjs'
import { didYouMean } from '../../lib/text/suggest.ts'
import { ClawError } from '../../protocol/errors.ts'
import { resolveAgent } from '../agents/agents.ts'
import type { Message } from './message.ts'
import { MESSAGE_TYPES } from './message-types.ts'

/** Which messages are asked for; what is left out narrows nothing. */
export interface MessageFilter {
  types?: readonly string[] | undefined
  topics?: readonly string[] | undefined
  /** Agents, by id or name. */
  from?: readonly string[] | undefined
  /** Messages, by id; a task's are those with its id. */
  ids?: readonly string[] | undefined
}

/**
 * The filter, for the document that it is used with; there it throws `unknown_agent`, `ambiguous`. Throws `usage` for a word
 * that is not a type of message.
 */
export const messageFilter = ({
  types,
  topics,
  from,
  ids,
}: MessageFilter): ((doc: Y.Doc) => (message: Message) => boolean) => {
  const wrong = types?.find((type) => !(MESSAGE_TYPES as readonly string[]).includes(type))
  if (wrong !== undefined) {
    const hint = `${didYouMean(wrong, MESSAGE_TYPES)} one of: ${MESSAGE_TYPES.join(', ')}`.trim()
    throw new ClawError('usage', `"${wrong}" is not a type of message`, hint)
  }
  return (doc) => {
    const senders = from?.map((name) => resolveAgent(doc, name) as string)
    return (message) =>
      types?.includes(message.type) !== false &&
      (topics === undefined || ('topic' in message && topics.includes(message.topic))) &&
      senders?.includes(message.from_agent) !== false &&
      ids?.includes(message.message_id) !== false
  }
}
