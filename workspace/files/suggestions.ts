import * as Y from 'yjs'
import { ClawError } from '../../protocol/errors.ts'
import type { AgentId, FileKey, SuggestionId, TaskId } from '../../protocol/ids.ts'
import { isoTime, textOf } from '../document/schema.ts'
import {
  isSuggestedHunks,
  isSuggestionDecision,
  isSuggestionFacts,
  suggestionRecord,
  suggestionRecords,
} from '../document/shape.ts'
import type {
  SuggestedHunk,
  SuggestionDecision,
  SuggestionFacts,
} from '../document/suggestion-schema.ts'
import { isBinary } from './blobs.ts'
import { type HunkState, type PlacedHunk, placeHunks } from './suggestion-hunks.ts'
import { findLeaf, keysByFileId } from './tree.ts'

/** Suggestions as every face shows them: rows, with hunks placed in the text as it is now. */

/** `partly`: some hunks were accepted, the others rejected. `withdrawn`: rejected by its proposer. */
export type SuggestionState = 'open' | 'accepted' | 'partly' | 'rejected' | 'withdrawn'

/** A suggestion in a list. */
export interface Suggestion {
  suggestion_id: SuggestionId
  /** The path of its file now; of a file that is gone, the path then. */
  file_key: FileKey
  by: AgentId
  at: string
  base_version: number
  note: string
  task: TaskId | null
  /** The only agent that may accept it; null: whoever may write. */
  approve_by: AgentId | null
  state: SuggestionState
  /** Hunks in all, those that wait, and those of them that no longer apply (count). */
  hunks: number
  waiting: number
  conflicts: number
}

/** A hunk for a reader. Its state of an open one is that of its place. */
export interface SuggestedChange {
  /** From 1. */
  hunk: number
  state: HunkState | SuggestionDecision['verdict']
  /** The first line that it replaces now, or that it stands before. */
  line: number
  old: string
  new: string
}

export interface SuggestionDetail extends Suggestion {
  /** Absent: it has ended, and only the server has them. */
  changes?: SuggestedChange[]
  decisions: ShownDecision[]
}

export type ShownDecision = Omit<SuggestionDecision, 'at'> & { at: string }

/** A suggestion as the document has it. */
export interface SuggestionEntry {
  id: SuggestionId
  record: Y.Map<unknown>
  facts: SuggestionFacts
  /** Null: it has ended, and the server keeps them. */
  hunks: readonly SuggestedHunk[] | null
  decisions: readonly SuggestionDecision[]
}

/** The entry of a record; null: it is faulty. */
const readEntry = (id: SuggestionId, record: Y.Map<unknown>): SuggestionEntry | null => {
  const [facts, hunks, decisions] = ['facts', 'hunks', 'decisions'].map((name) => record.get(name))
  if (!isSuggestionFacts(facts)) return null
  const isWhole = isSuggestedHunks(hunks) && hunks.length === facts.hunks
  return {
    ...{ id, record, facts, hunks: isWhole ? hunks : null },
    decisions: decisions instanceof Y.Array ? decisions.toArray().filter(isSuggestionDecision) : [],
  }
}

export const suggestionEntries = (doc: Y.Doc): SuggestionEntry[] =>
  [...suggestionRecords(doc)].flatMap(([id, record]) => readEntry(id, record) ?? [])

/** Null: there is none, or it left the document. */
export const findSuggestion = (doc: Y.Doc, id: string): SuggestionEntry | null => {
  const record = suggestionRecord(doc, id)
  return record === undefined ? null : readEntry(id as SuggestionId, record)
}

export const unknownSuggestion = (id: string): ClawError =>
  new ClawError(
    'unknown_suggestion',
    `no suggestion "${id.slice(0, 80)}" in this workspace`,
    'file-suggestions lists them',
  )

/** The verdict of each hunk, by its number from 1; absent: it waits. */
export const verdictsOf = ({
  decisions,
}: Pick<SuggestionEntry, 'decisions'>): Map<number, SuggestionDecision> => {
  const verdicts = new Map<number, SuggestionDecision>()
  for (const decision of decisions) {
    for (const hunk of decision.hunks) if (!verdicts.has(hunk)) verdicts.set(hunk, decision)
  }
  return verdicts
}

type Told = Pick<SuggestionEntry, 'facts' | 'decisions'>

/** Numbers of the hunks that wait. */
export const waitingHunks = (entry: Told): number[] => {
  const verdicts = verdictsOf(entry)
  return Array.from({ length: entry.facts.hunks }, (_, i) => i + 1).filter((n) => !verdicts.has(n))
}

export const stateOf = (entry: Told): SuggestionState => {
  if (waitingHunks(entry).length > 0) return 'open'
  const accepted = entry.decisions.filter(({ verdict }) => verdict === 'accepted').length
  if (accepted === entry.decisions.length) return 'accepted'
  if (accepted > 0) return 'partly'
  return entry.decisions.some(({ by }) => by !== entry.facts.by) ? 'rejected' : 'withdrawn'
}

/** The path that leads to the file of a suggestion; null: none does, or it is not text. */
export const pathOfSuggestion = (doc: Y.Doc, { fileId, key }: SuggestionFacts): FileKey | null => {
  const there = findLeaf(doc, key)
  const path = there?.entry.fileId === fileId ? there.key : (keysByFileId(doc).get(fileId) ?? null)
  const leaf = path === null ? null : findLeaf(doc, path)
  return leaf === null || isBinary(leaf.entry) ? null : leaf.key
}

const GONE = (hunk: SuggestedHunk): PlacedHunk => ({
  state: 'conflict',
  line: hunk.line,
  range: null,
})

/** The places of a suggestion's hunks now, in their order. */
export const placesOfSuggestion = (
  doc: Y.Doc,
  { facts, hunks }: SuggestionEntry,
  path = pathOfSuggestion(doc, facts),
): PlacedHunk[] => {
  if (hunks === null) return []
  return path === null ? hunks.map(GONE) : placeHunks(textOf(doc, facts.fileId), hunks)
}

/** The row of a suggestion. `places`: of its hunks; empty: it has ended. */
export const showSuggestion = (
  { id, facts, decisions }: Told & { id: SuggestionId },
  path: FileKey | null,
  places: readonly PlacedHunk[],
): Suggestion => {
  const waiting = waitingHunks({ facts, decisions })
  return {
    ...{ suggestion_id: id, file_key: path ?? facts.key, by: facts.by, at: isoTime(facts.at) },
    ...{ base_version: facts.version, note: facts.note, task: facts.task ?? null },
    ...{ approve_by: facts.approver ?? null, state: stateOf({ facts, decisions }) },
    ...{ hunks: facts.hunks, waiting: waiting.length },
    conflicts: waiting.filter((n) => places[n - 1]?.state === 'conflict').length,
  }
}

/** The same with its hunks and decisions. */
export const showDetail = (
  entry: Told & { id: SuggestionId; hunks: readonly SuggestedHunk[] | null },
  path: FileKey | null,
  places: readonly PlacedHunk[],
): SuggestionDetail => {
  const verdicts = verdictsOf(entry)
  const changes = entry.hunks?.map(
    (hunk, i): SuggestedChange => ({
      hunk: i + 1,
      state: verdicts.get(i + 1)?.verdict ?? places[i]?.state ?? 'conflict',
      ...{ line: places[i]?.line ?? hunk.line, old: hunk.old, new: hunk.new },
    }),
  )
  return {
    ...showSuggestion(entry, path, places),
    ...(changes !== undefined && { changes }),
    decisions: entry.decisions.map(({ at, ...said }) => ({ ...said, at: isoTime(at) })),
  }
}

/** Numbers of ids, for their order. */
const numberOf = (id: string): number => Number(id.slice(2))

/** Suggestions, the newest first. `key`: of one file; absent: of all. `all`: ended ones, too. */
export const listSuggestions = (
  doc: Y.Doc,
  { key, all = false }: { key?: string | undefined; all?: boolean | undefined } = {},
): Suggestion[] => {
  const wanted = key?.normalize('NFC')
  const rows: Suggestion[] = []
  for (const entry of suggestionEntries(doc)) {
    if (!all && stateOf(entry) !== 'open') continue
    const path = pathOfSuggestion(doc, entry.facts)
    if (wanted !== undefined && (path ?? entry.facts.key) !== wanted) continue
    rows.push(showSuggestion(entry, path, placesOfSuggestion(doc, entry, path)))
  }
  return rows.sort((a, b) => numberOf(b.suggestion_id) - numberOf(a.suggestion_id))
}

/** One suggestion. Throws `unknown_suggestion`. */
export const getSuggestion = (doc: Y.Doc, id: string): SuggestionDetail => {
  const entry = findSuggestion(doc, id)
  if (entry === null) throw unknownSuggestion(id)
  const path = pathOfSuggestion(doc, entry.facts)
  return showDetail(entry, path, placesOfSuggestion(doc, entry, path))
}

/** The hunks of a suggestion as lines: a head for each, then what it removes and adds, as in a unified diff. */
export const suggestionDiff = ({ changes = [] }: Pick<SuggestionDetail, 'changes'>): string[] =>
  changes.flatMap((change) => [
    `@@ hunk ${change.hunk} line ${change.line} ${change.state} @@`,
    ...marked('-', change.old),
    ...marked('+', change.new),
  ])

const marked = (mark: '-' | '+', text: string): string[] => {
  if (text === '') return []
  const isWhole = text.endsWith('\n')
  const lines = (isWhole ? text.slice(0, -1) : text).split('\n').map((line) => mark + line)
  return isWhole ? lines : [...lines, '\\ No newline at end of file']
}
