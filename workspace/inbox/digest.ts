import type * as Y from 'yjs'
import { shorten } from '../../lib/text/shorten.ts'
import type { AgentId } from '../../protocol/ids.ts'
import { archivedBroadcasts, broadcastsOf, isoTime } from '../document/schema.ts'
import { broadcastMessage, isFor } from '../messages/broadcasts.ts'
import { newestBroadcasts } from '../messages/live-log.ts'
import type { Message } from '../messages/message.ts'
import { receiptOf } from '../tasks/receipts.ts'
import { offerMessage } from '../tasks/task-news.ts'
import { isTerminal } from '../tasks/task-states.ts'
import { offersOf } from '../tasks/task-write.ts'
import { entries } from '../tasks/tasks.ts'
import { byTime } from './inbox.ts'

/** The newest broadcasts in a digest (count). */
export const DIGEST_BROADCASTS = 10
/** Characters of each broadcast that a digest shows. */
export const DIGEST_CHARACTERS = 200

/**
 * The first messages of a new agent's inbox, instead of the whole history: its open tasks, direct
 * messages that it has not read in another replica, and one digest of the newest broadcasts on its
 * topics.
 */
export const welcomeMessages = (doc: Y.Doc, me: AgentId, now: number): Message[] => {
  const tasks = [...entries(doc)].flatMap((entry) => {
    if (isTerminal(entry.status.state) || entry.record === null) return []
    return offersOf(entry.record)
      .filter(({ to }) => to === me)
      .slice(-1)
      .map((offer) => offerMessage(entry, offer))
  })
  const said = [...newestBroadcasts(doc, now)].filter(isFor(doc, me)).map(broadcastMessage)
  const direct = said.filter(
    ({ type, message_id }) =>
      type === 'direct_message' && receiptOf(doc, message_id, me)?.read === undefined,
  )
  const newest = said
    .filter((message) => message.type === 'knowledge_broadcast')
    .slice(0, DIGEST_BROADCASTS)
    .reverse()
  const messages: Message[] = [...tasks, ...direct].sort(byTime)
  if (newest.length === 0) return messages
  const digest: Message = {
    type: 'digest',
    message_id: `digest@${isoTime(now)}`,
    from_agent: '',
    to_agent: me,
    timestamp: isoTime(now),
    total: archivedBroadcasts(doc) + broadcastsOf(doc).length,
    broadcasts: newest.map((message) => ({
      ...message,
      // The only one is whole: nobody has to look it up.
      content: newest.length === 1 ? message.content : shorten(message.content, DIGEST_CHARACTERS),
    })),
    hint: 'clawlink-agent log',
  }
  return [...messages, digest]
}
