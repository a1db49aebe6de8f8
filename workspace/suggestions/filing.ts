import * as Y from 'yjs'
import type { MergeResult } from '../../lib/merge/edits.ts'
import { merge3 } from '../../lib/merge/merge.ts'
import { byteLength } from '../../lib/text/bytes.ts'
import { counted } from '../../lib/text/count.ts'
import { ClawError } from '../../protocol/errors.ts'
import type { AgentId, FileId, SuggestionId } from '../../protocol/ids.ts'
import * as limits from '../../protocol/limits.ts'
import { agentName, hasAgent } from '../agents/agents.ts'
import { putIn } from '../document/buckets.ts'
import * as records from '../document/records.ts'
import { filedSuggestions, metaOf, suggestionsOf, textOf } from '../document/schema.ts'
import { agentRecords } from '../document/shape.ts'
import type { SuggestedHunk, SuggestionFacts } from '../document/suggestion-schema.ts'
import { within } from '../document/validate.ts'
import { must } from '../document/values.ts'
import { agentsOfEdits } from '../files/edit-counts.ts'
import { readFile } from '../files/file-info.ts'
import { checkContent } from '../files/put-file.ts'
import { hunksOf } from '../files/suggestion-hunks.ts'
import {
  getSuggestion,
  type SuggestionDetail,
  stateOf,
  suggestionEntries,
} from '../files/suggestions.ts'
import { getFile } from '../files/tree.ts'
import { entryOf } from '../tasks/tasks.ts'

/** A change that an agent proposes. */
export interface Proposal {
  key: string
  by: AgentId
  /** Milliseconds since the epoch, by the server's clock. */
  now: number
  /** The text that the proposer had in its hands; null: the one that is there now. */
  base: string | null
  /** The text that it proposes in the place of its base. */
  propose: (base: string) => string
  note: string
  task?: string | undefined
  /** The only agent that may accept it. */
  approver?: AgentId | undefined
  /** Tells whether an agent's role reaches to accept suggestions. */
  mayAccept: (agent: AgentId) => boolean
  /** Used in place of `merge3`. */
  merge?: (base: string, mine: string, theirs: string) => MergeResult
  /** Work for finding the hunks (`newEffort`): with less they are coarser. */
  steps: number
}

/**
 * Files a proposal: the hunks that turn the text as it is now into the one with the proposed change, anchored in it.
 * Throws `stale` where others changed the same lines since the base, `unknown_file`, `not_text`, `unknown_task`,
 * `bad_text`, `too_large`, `quota`, and `usage` where it proposes no change or its own approval. Server only.
 */
export const fileSuggestion = (doc: Y.Doc, proposal: Proposal): SuggestionDetail => {
  const { by, now, task } = proposal
  const { file_key: key, version, content } = readFile(doc, proposal.key)
  const { fileId } = getFile(doc, key).entry
  const entry = task === undefined ? null : entryOf(doc, task)
  const note = within('note', proposal.note, limits.MAX_MESSAGE_BYTES)
  const hunks = hunksFor(doc, proposal, { key, fileId, content })
  checkRoomFor(doc, by, hunks)

  const reviewer = entry?.facts.approver
  const others = [proposal.approver, reviewer, entry?.facts.from]
  const isStrict = proposal.approver !== undefined || reviewer !== undefined
  if (proposal.approver === by) {
    throw new ClawError(
      'usage',
      `${agentName(doc, by)} cannot accept its own suggestion`,
      'name another agent with --approve-by',
    )
  }
  const approver = isStrict ? others.find((one) => one !== undefined && one !== by) : undefined
  const about = { fileId, key, by, ...(entry !== null && { task: entry.id }) }
  const readers =
    approver === undefined
      ? readersOf(doc, fileId, entry?.facts.from, (id) => id !== by && proposal.mayAccept(id))
      : [approver]
  const facts: SuggestionFacts = {
    ...{ ...about, at: now, version, hunks: hunks.length, note },
    ...(approver !== undefined && { approver }),
    ...(isStrict && { strict: true as const }),
    to: readers.slice(0, limits.MAX_SUGGESTION_READERS),
  }
  const number = filedSuggestions(doc) + 1
  const id = `s-${number}` as SuggestionId
  must(records.suggestionFacts, facts, id)
  must(records.suggestedHunks, hunks, id)
  doc.transact(() => {
    metaOf(doc).set('suggestions', number)
    putIn(
      suggestionsOf(doc),
      id,
      new Y.Map<unknown>([
        ['facts', facts],
        ['hunks', hunks],
      ]),
    )
  })
  return getSuggestion(doc, id)
}

/** Editors of a file that are told of a suggestion (count): the newest. */
const TOLD_EDITORS = 8

/**
 * The agents to tell of a suggestion that whoever may write can accept: the creator of its task and the newest editors of
 * the file, or where there are none of these, everybody.
 */
const readersOf = (
  doc: Y.Doc,
  file: FileId,
  creator: AgentId | undefined,
  isReader: (agent: AgentId) => boolean,
): AgentId[] => {
  const editors = agentsOfEdits(doc, file).map(([, agent]) => agent)
  const isThere = (id: AgentId): boolean => hasAgent(doc, id) && isReader(id)
  const near = [...new Set([...(creator === undefined ? [] : [creator]), ...editors])]
  const told = near.filter(isThere).slice(0, TOLD_EDITORS)
  return told.length > 0
    ? told
    : [...agentRecords(doc)].map(([id]) => id as AgentId).filter(isThere)
}

/** The hunks of a proposal against the text as it is now. */
const hunksFor = (
  doc: Y.Doc,
  { base: held, propose, merge = merge3, steps }: Proposal,
  { key, fileId, content }: Pick<SuggestionFacts, 'key' | 'fileId'> & { content: string },
): SuggestedHunk[] => {
  const base = held ?? content
  const proposed = checkContent(propose(base))
  const { text, conflicts } =
    base === content ? { text: proposed, conflicts: [] } : merge(base, proposed, content)
  const [conflict] = conflicts
  if (conflict !== undefined) {
    throw new ClawError(
      'stale',
      `others changed line ${conflict.from_line} of ${key} since the version that you read`,
      'file-get it, and suggest your change of that',
    )
  }
  if (text === content) {
    throw new ClawError('usage', `it proposes no change of ${key}`, 'file-diff shows what changed')
  }
  const hunks = hunksOf(textOf(doc, fileId), text, steps)
  if (hunks.length > limits.MAX_SUGGESTED_HUNKS) {
    throw new ClawError(
      'too_large',
      `it has ${hunks.length} hunks; the limit is ${limits.MAX_SUGGESTED_HUNKS}`,
      'make several suggestions of it',
    )
  }
  const bytes = hunks.reduce((sum, one) => sum + byteLength(one.old) + byteLength(one.new), 0)
  if (bytes > limits.MAX_SUGGESTION_BYTES) {
    throw new ClawError(
      'too_large',
      `its hunks have ${bytes} bytes; the limit is ${limits.MAX_SUGGESTION_BYTES}`,
      'suggest a smaller part of the file at a time',
    )
  }
  return hunks
}

const unitsOf = (hunks: readonly SuggestedHunk[]): number =>
  hunks.reduce((sum, { old, new: now }) => sum + old.length + now.length, 0)

/** Throws `quota` where the agent, or everybody together, has too much waiting. */
const checkRoomFor = (doc: Y.Doc, by: AgentId, hunks: readonly SuggestedHunk[]): void => {
  const open = suggestionEntries(doc).filter((entry) => stateOf(entry) === 'open')
  const mine = open.filter(({ facts }) => facts.by === by)
  const units = (entries: typeof open): number =>
    entries.reduce((sum, one) => sum + unitsOf(one.hunks ?? []), unitsOf(hunks))
  const isMine =
    mine.length >= limits.MAX_AGENT_SUGGESTIONS || units(mine) > limits.MAX_AGENT_SUGGESTED_UNITS
  const isFull =
    isMine || open.length >= limits.MAX_OPEN_SUGGESTIONS || units(open) > limits.MAX_SUGGESTED_UNITS
  if (!isFull) return
  const waiting = counted(isMine ? mine.length : open.length, 'suggestion')
  throw new ClawError(
    'quota',
    isMine ? `${waiting} of yours wait already` : `${waiting} wait in this workspace already`,
    'wait until some are accepted or rejected, or withdraw yours: file-reject ID',
  )
}
