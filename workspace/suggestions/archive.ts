import type { SuggestionId } from '../../protocol/ids.ts'
import { isSuggestedHunks, isSuggestionDecision, isSuggestionFacts } from '../document/shape.ts'
import type {
  SuggestedHunk,
  SuggestionDecision,
  SuggestionFacts,
} from '../document/suggestion-schema.ts'
import { isPlainObject } from '../document/values.ts'
import { type SuggestionDetail, type SuggestionEntry, showDetail } from '../files/suggestions.ts'

/** A suggestion that has ended, as the server keeps it. */
interface ArchivedSuggestion {
  id: SuggestionId
  facts: SuggestionFacts
  hunks: readonly SuggestedHunk[]
  decisions: readonly SuggestionDecision[]
}

export const toArchive = ({
  id,
  facts,
  hunks,
  decisions,
}: SuggestionEntry): ArchivedSuggestion => ({
  ...{ id, facts, hunks: hunks ?? [], decisions },
})

/** A stored suggestion with its hunks; null: the value is none. */
export const showArchivedSuggestion = (value: unknown): SuggestionDetail | null => {
  if (!isPlainObject(value)) return null
  const { id, facts, hunks, decisions } = value as Partial<ArchivedSuggestion>
  if (typeof id !== 'string' || !isSuggestionFacts(facts) || !isSuggestedHunks(hunks)) return null
  if (!Array.isArray(decisions) || !decisions.every(isSuggestionDecision)) return null
  return showDetail({ id, facts, hunks, decisions }, null, [])
}
