import { shellWord } from '../../lib/text/quote.ts'
import { newMessageId } from '../../protocol/fresh-ids.ts'
import type { AgentId } from '../../protocol/ids.ts'
import { isoTime } from '../../workspace/document/schema.ts'
import type { Message } from '../../workspace/messages/message.ts'

/**
 * A message from a mirror to its own agent, in that agent's inbox only. `now`: milliseconds since
 * the epoch.
 */
export const noteTo = (me: AgentId, content: string, now: number): Message => ({
  type: 'direct_message',
  message_id: newMessageId(),
  from_agent: me,
  to_agent: me,
  timestamp: isoTime(now),
  content,
  topic: 'mirror',
  tags: [],
  reply_to: null,
})

/** Tells that `count` files are gone from a folder, and that the deletions wait for the user. */
export const waitingNews = (dir: string, count: number): string =>
  `${count} mirrored file${count === 1 ? ' is' : 's are'} gone from ${dir}, and not removed for others: mirror ${shellWord(dir)} --confirm-deletions removes them for all, mirror ${shellWord(dir)} --restore writes them again`

/** Tells that older rules, which are not on disk any more, still ignore files. */
export const rulesNews = (dir: string): string =>
  `what was ignored before others changed the rules, or before a rule file went, still is: mirror ${shellWord(dir)} --accept-rules takes the rules as they are`
