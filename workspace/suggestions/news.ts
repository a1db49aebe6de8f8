import type { AgentId, SuggestionId } from '../../protocol/ids.ts'
import { isoTime } from '../document/schema.ts'
import type { SuggestionDecision } from '../document/suggestion-schema.ts'
import { type SuggestionEntry, stateOf, waitingHunks } from '../files/suggestions.ts'
import type { Message } from '../messages/message.ts'
import type { Placed } from '../tasks/task-archive.ts'

/** The news of one suggestion. */
export interface SuggestionNews {
  /** The Yjs id of its facts, if it is new; null: it is known. */
  filed: Placed<null> | null
  decisions: Placed<SuggestionDecision>[]
}

const envelope = (id: SuggestionId, from: AgentId, me: AgentId, at: number) => ({
  ...{ message_id: id, from_agent: from, to_agent: me, timestamp: isoTime(at) },
})

/** True if the suggestion waits for a judgement of `me`. */
export const waitsForReview = (entry: SuggestionEntry, me: AgentId | null): boolean =>
  me !== null && entry.facts.by !== me && entry.facts.to.includes(me) && stateOf(entry) === 'open'

/** The news of a suggestion for `me`: that it waits for it, or what others made of its own. */
export const suggestionMessages = (
  entry: SuggestionEntry,
  { filed, decisions }: SuggestionNews,
  me: AgentId,
): Placed<Message>[] => {
  const { id, facts } = entry
  const { key: file_key, by, at, hunks, note, task } = facts
  const messages: Placed<Message>[] = []
  if (filed !== null && waitsForReview(entry, me)) {
    const about = { file_key, hunks, note, ...(task !== undefined && { task }) }
    const value = { type: 'file_suggestion' as const, ...envelope(id, by, me, at), ...about }
    messages.push({ ...filed, value })
  }
  if (by !== me) return messages
  for (const placed of decisions) {
    const { by: judge, verdict, hunks, reason, version, at } = placed.value
    if (judge === me) continue
    const value: Message = {
      ...{ type: 'suggestion_judged', ...envelope(id, judge, me, at), file_key, verdict, hunks },
      ...{ waiting: waitingHunks(entry).length, reason },
      ...(version !== undefined && { version }),
    }
    messages.push({ ...placed, value })
  }
  return messages
}
