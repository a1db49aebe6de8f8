import type * as Y from 'yjs'
import type { AgentId, BroadcastId } from '../../protocol/ids.ts'
import { agentName, hasAgent } from '../agents/agents.ts'
import { type BroadcastEntry, isoTime } from '../document/schema.ts'
import type { LookTogether } from '../files/together.ts'
import { addBroadcast } from '../messages/broadcasts.ts'
import { newestBroadcasts } from '../messages/live-log.ts'
import type { Message } from '../messages/message.ts'
import { linesText } from './conflicts.ts'

/** The topic of a direct message about two changes to look at together. It wakes nobody. */
export const LOOK_TOGETHER = 'look-together'

/** Newest messages in which an earlier one is looked for (count). */
const LOOKED_AT = 500

/** Tells whether a message is about two changes to look at together. */
export const isTogether = ({ topic, to }: Pick<BroadcastEntry, 'topic' | 'to'>): boolean =>
  topic === LOOK_TOGETHER && to !== undefined

/**
 * Tells another agent that `me` changed something close to its own change. True if it was told, and false where either of them
 * was told of the same place of the same file before.
 */
export const tellTogether = (
  doc: Y.Doc,
  me: AgentId,
  key: string,
  { by: to, lines, others, symbol }: LookTogether & { by: AgentId },
  newId: () => BroadcastId,
  now: number,
): boolean => {
  if (to === me || !hasAgent(doc, to)) return false
  const tags = tagsOf(key, symbol)
  if (wasTold(doc, me, to, tags, now)) return false
  addBroadcast(doc, {
    ...{ id: newId(), from: me, to, topic: LOOK_TOGETHER, tags, now },
    content: `${agentName(doc, me)} changed ${linesText(lines)} of ${key}, you ${linesText(others)}${placeText(symbol)}; both merged cleanly: look at this together`,
  })
  return true
}

/** The same for its own agent. */
export const togetherText = (
  key: string,
  { by, lines, others, symbol }: LookTogether & { by: string },
): string =>
  `${by} changed ${linesText(others)} of ${key}, you ${linesText(lines)}${placeText(symbol)}; both merged cleanly: look at this together`

/** A message to its own agent, where no command of it gets the answer. */
export const togetherMessage = (
  me: string,
  key: string,
  pair: LookTogether & { by: string },
  now: number,
): Message => ({
  type: 'look_together',
  message_id: `${key}@${isoTime(now)}`,
  from_agent: pair.by,
  to_agent: me,
  timestamp: isoTime(now),
  ...{ topic: LOOK_TOGETHER, tags: tagsOf(key, pair.symbol), content: togetherText(key, pair) },
})

const placeText = (symbol: string | null): string =>
  symbol === null ? ', close to each other' : `, both in ${symbol}`

/** Of a long path the end: names that share it are told once for all of them. */
const tagsOf = (key: string, symbol: string | null): string[] => [
  `file ${shortOf(key)}`,
  symbol === null ? 'lines' : `in ${shortOf(symbol)}`,
]

const shortOf = (text: string): string => [...text].slice(-28).join('').trim()

const wasTold = (
  doc: Y.Doc,
  me: AgentId,
  other: AgentId,
  tags: readonly string[],
  now: number,
): boolean => {
  let left = LOOKED_AT
  for (const { from, to, topic, tags: known } of newestBroadcasts(doc, now)) {
    if (left-- === 0) return false
    if (topic !== LOOK_TOGETHER || tags.some((tag) => !known.includes(tag))) continue
    if ((from === me && to === other) || (from === other && to === me)) return true
  }
  return false
}
