import * as Y from 'yjs'
import { applyEdits, changedLines, joinNearest } from '../../lib/merge/edits.ts'
import { ClawError } from '../../protocol/errors.ts'
import type { AgentId, FileKey } from '../../protocol/ids.ts'
import { KEPT_SUGGESTIONS, MAX_MESSAGE_BYTES, SUGGESTIONS_KEPT_MS } from '../../protocol/limits.ts'
import { agentName } from '../agents/agents.ts'
import { removeFrom } from '../document/buckets.ts'
import * as records from '../document/records.ts'
import { suggestionsOf } from '../document/schema.ts'
import type { SuggestionDecision } from '../document/suggestion-schema.ts'
import { within } from '../document/validate.ts'
import { must } from '../document/values.ts'
import { readFile } from '../files/file-info.ts'
import { type PutResult, putFile } from '../files/put-file.ts'
import { editsOfHunks } from '../files/suggestion-hunks.ts'
import {
  findSuggestion,
  pathOfSuggestion,
  placesOfSuggestion,
  type SuggestionEntry,
  stateOf,
  suggestionEntries,
  unknownSuggestion,
  verdictsOf,
  waitingHunks,
} from '../files/suggestions.ts'
import { toArchive } from './archive.ts'

/** A request to judge a suggestion. */
export interface Judgement {
  id: string
  by: AgentId
  /** False: its role does not reach to accept, and it may only withdraw what is its own. */
  mayWrite: boolean
  /** Milliseconds since the epoch, by the server's clock. */
  now: number
}

/** Throws `not_allowed`. */
const checkMayJudge = (
  doc: Y.Doc,
  { id, facts }: SuggestionEntry,
  { by, mayWrite }: Judgement,
): void => {
  const { approver, strict } = facts
  if (!mayWrite) {
    throw new ClawError('not_allowed', 'your role may suggest, and not accept or reject')
  }
  if (approver !== undefined && by !== approver) {
    const who = `${agentName(doc, approver)} (${approver})`
    throw new ClawError('not_allowed', `you cannot judge ${id}: ${who} has to`)
  }
  if (strict === true && by === facts.by) {
    throw new ClawError('not_allowed', `${id} is your own: another agent has to accept it`)
  }
}

/** The suggestion, of which something waits. Throws `unknown_suggestion`, `suggestion_state`. */
const openSuggestion = (doc: Y.Doc, id: string): SuggestionEntry => {
  const entry = findSuggestion(doc, id)
  if (entry === null) throw unknownSuggestion(id)
  const state = stateOf(entry)
  if (state === 'open') return entry
  throw new ClawError('suggestion_state', `${id} has ended: ${state}`, 'it can be suggested anew')
}

/** Accepted hunks in the text of their file, and what is to be noted of them. */
export interface Accepted {
  put: PutResult
  decision: SuggestionDecision
}

/**
 * Writes hunks of a suggestion into its file, all or none; null: all that wait. Call it under a Yjs client id of the
 * proposer, and `noteDecision` in the same commit. Throws `unknown_suggestion`, `not_allowed`, `suggestion_state` where one
 * was judged already, `stale` where one no longer applies, `unknown_file`, `too_large`.
 */
export const acceptHunks = (
  doc: Y.Doc,
  judgement: Judgement,
  hunks: readonly number[] | null,
): Accepted => {
  const entry = openSuggestion(doc, judgement.id)
  checkMayJudge(doc, entry, judgement)
  const { facts } = entry
  const { by, now } = judgement
  const chosen = chosenHunks(doc, entry, hunks)
  const path = pathOfSuggestion(doc, facts)
  if (path === null) {
    throw new ClawError('unknown_file', `${facts.key} is gone, or not text`, 'file-reject it')
  }
  const edits = editsFor(doc, entry, path, chosen)
  const { content } = readFile(doc, path)
  const few = joinNearest(edits, content)
  const text = applyEdits(content, few)
  const lines = changedLines(text, few)
  const put = putFile(doc, {
    ...{ key: path, content: text, base: content, by: facts.by, now },
    // The hunks say where, which a merge would have to guess among equal lines.
    merge: () => ({ text, edits: few, conflicts: [], lines }),
  })
  const { version } = put.file
  const said = { by, at: now, verdict: 'accepted' as const, hunks: chosen, reason: '' }
  return { put, decision: { ...said, version } }
}

/** Throws `usage`, `suggestion_state`. */
const chosenHunks = (
  doc: Y.Doc,
  entry: SuggestionEntry,
  hunks: readonly number[] | null,
): number[] => {
  if (hunks === null) return waitingHunks(entry)
  const { id, facts } = entry
  const verdicts = verdictsOf(entry)
  const chosen = [...new Set(hunks)].sort((a, b) => a - b)
  if (chosen.length === 0) throw new ClawError('usage', 'no hunk is named', 'give them as 1,3')
  for (const hunk of chosen) {
    if (!Number.isSafeInteger(hunk) || hunk < 1 || hunk > facts.hunks) {
      throw new ClawError('usage', `${id} has no hunk ${hunk}`, `they are 1 to ${facts.hunks}`)
    }
    const known = verdicts.get(hunk)
    if (known === undefined) continue
    throw new ClawError(
      'suggestion_state',
      `hunk ${hunk} of ${id} was ${known.verdict} by ${agentName(doc, known.by)} (${known.by})`,
      `file-suggestions --id ${id} shows what waits`,
    )
  }
  return chosen
}

/** Throws `stale`. */
const editsFor = (doc: Y.Doc, entry: SuggestionEntry, path: FileKey, chosen: readonly number[]) => {
  const { id, hunks } = entry
  if (hunks === null) throw unknownSuggestion(id)
  const places = placesOfSuggestion(doc, entry, path)
  const placed = chosen.map((n) => ({ hunk: hunks[n - 1]!, range: places[n - 1]!.range, n }))
  const apart = placed.filter(({ range }) => range === null).map(({ n }) => n)
  if (apart.length === 0) return editsOfHunks(placed.map((one) => ({ ...one, range: one.range! })))
  const others = waitingHunks(entry).filter((n) => places[n - 1]?.range != null)
  throw new ClawError(
    'stale',
    `hunk ${apart.join(', ')} of ${id} no longer applies: others changed its lines`,
    others.length === 0
      ? 'reject it with a reason; it can be suggested anew'
      : `accept what applies: file-accept ${id} --hunks ${others.join(',')}`,
  )
}

/**
 * The decision that rejects hunks; null: all that wait. Its proposer withdraws them by that. Throws `unknown_suggestion`,
 * `not_allowed`, `suggestion_state`, `too_large`, and `usage` where others give no reason or no such hunk.
 */
export const rejection = (
  doc: Y.Doc,
  judgement: Judgement,
  reason: string,
  hunks: readonly number[] | null = null,
): SuggestionDecision => {
  const entry = openSuggestion(doc, judgement.id)
  const { by, now } = judgement
  if (by !== entry.facts.by) {
    checkMayJudge(doc, entry, judgement)
    if (reason.trim() === '') {
      throw new ClawError('usage', 'no reason is given', 'its proposer reads it: --reason TEXT')
    }
  }
  const said = within('reason', reason, MAX_MESSAGE_BYTES)
  return { by, at: now, verdict: 'rejected', hunks: chosenHunks(doc, entry, hunks), reason: said }
}

/** Takes a suggestion that has ended, whole, for the server to keep. */
export type Archive = (number: number, value: object) => void

/**
 * Notes a decision. One that has ended goes to the archive, and its hunks leave the document; its outcome leaves when it
 * is old. Server only.
 */
export const noteDecision = (
  doc: Y.Doc,
  id: string,
  decision: SuggestionDecision,
  archive: Archive,
): void => {
  must(records.suggestionDecision, decision, id)
  const { record } = openSuggestion(doc, id)
  doc.transact(() => {
    const known = record.get('decisions')
    if (known instanceof Y.Array) known.push([decision])
    else record.set('decisions', Y.Array.from([decision]))
    const entry = findSuggestion(doc, id)!
    if (stateOf(entry) !== 'open') {
      archive(numberOfSuggestion(entry.id), toArchive(entry))
      record.delete('hunks')
    }
    forgetOld(doc, decision.at)
  })
}

export const numberOfSuggestion = (id: string): number => Number(id.slice(2))

/** Ends what the document keeps of suggestions that ended long ago, or before many others. */
const forgetOld = (doc: Y.Doc, now: number): void => {
  const ended = suggestionEntries(doc)
    .filter((entry) => stateOf(entry) !== 'open')
    .map(({ id, decisions }) => ({ id, at: decisions.at(-1)?.at ?? 0 }))
    .sort((a, b) => b.at - a.at || numberOfSuggestion(b.id) - numberOfSuggestion(a.id))
  for (const [i, { id, at }] of ended.entries()) {
    if (i >= KEPT_SUGGESTIONS || at < now - SUGGESTIONS_KEPT_MS) {
      removeFrom(suggestionsOf(doc), id)
    }
  }
}
