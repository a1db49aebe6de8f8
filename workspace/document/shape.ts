import * as Y from 'yjs'
import type { SuggestionId, TaskId } from '../../protocol/ids.ts'
import { entriesIn, findIn } from './buckets.ts'
import * as records from './records.ts'
import {
  agentsOf,
  type BlobEntry,
  type BroadcastEntry,
  type EditCount,
  type FileEntry,
  filesOf,
  type Note,
  type Offer,
  type Paused,
  type Receipt,
  type Submission,
  suggestionsOf,
  type TaskFacts,
  type TaskStatus,
  type Transition,
  tasksOf,
} from './schema.ts'
import type { SuggestedHunk, SuggestionDecision, SuggestionFacts } from './suggestion-schema.ts'
import type { Rule } from './values.ts'

/**
 * Reads untrusted values from the document: a value that breaks the grammar counts as absent, and
 * harms only its author.
 */
const is = <T>({ problem }: Rule): ((value: unknown) => value is T) => {
  // Values in the document never change, so each is checked once.
  const looked = new WeakMap<object, boolean>()
  return (value): value is T => {
    if (typeof value !== 'object' || value === null) return problem(value) === null
    const known = looked.get(value) ?? problem(value) === null
    looked.set(value, known)
    return known
  }
}

export const isStrings = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((item) => typeof item === 'string')

export const isBroadcast = is<BroadcastEntry>(records.broadcastRecord)
export const isNote = is<Note>(records.noteRecord)
export const isReceipt = is<Receipt>(records.receipt)
export const isTransition = is<Transition>(records.transition)
export const isOffer = is<Offer>(records.offer)
export const isTaskStatus = is<TaskStatus>(records.taskStatus)
export const isTaskFacts = is<TaskFacts>(records.taskFacts)
export const isSubmission = is<Submission>(records.submission)
export const isFileEntry = is<FileEntry>(records.fileEntryRule)
export const isPaused = is<Paused>(records.paused)
export const isEditCount = is<EditCount>(records.editCount)
export const isBlobEntry = is<BlobEntry>(records.blobEntry)
export const isSuggestionFacts = is<SuggestionFacts>(records.suggestionFacts)
export const isSuggestedHunks = is<SuggestedHunk[]>(records.suggestedHunks)
export const isSuggestionDecision = is<SuggestionDecision>(records.suggestionDecision)
/** A Yjs client id as a key of a map. */
export const isClientId = is<string>(records.clientId)
export const isSpokenId = is<string>(records.spokenId)

/** The record of one agent or task; undefined: there is none, or the value is faulty. */
const recordIn = (map: Y.Map<Y.Map<unknown>>, id: string): Y.Map<unknown> | undefined => {
  const record: unknown = map.get(id)
  return record instanceof Y.Map ? record : undefined
}

const recordsIn = function* (map: Y.Map<Y.Map<unknown>>): Generator<[string, Y.Map<unknown>]> {
  for (const [id, record] of map) if ((record as unknown) instanceof Y.Map) yield [id, record]
}

export const agentRecord = (doc: Y.Doc, id: string) => recordIn(agentsOf(doc), id)
export const agentRecords = (doc: Y.Doc) => recordsIn(agentsOf(doc))

/** One task's record. */
export const taskRecord = (doc: Y.Doc, id: string): Y.Map<unknown> | undefined => {
  const record = findIn(tasksOf(doc), id)
  return record instanceof Y.Map ? record : undefined
}

export const taskRecords = function* (doc: Y.Doc): Generator<[TaskId, Y.Map<unknown>]> {
  for (const [id, record] of entriesIn(tasksOf(doc))) {
    if (record instanceof Y.Map) yield [id as TaskId, record]
  }
}

/** One suggestion's record. */
export const suggestionRecord = (doc: Y.Doc, id: string): Y.Map<unknown> | undefined => {
  const record = findIn(suggestionsOf(doc), id)
  return record instanceof Y.Map ? record : undefined
}

export const suggestionRecords = function* (doc: Y.Doc): Generator<[SuggestionId, Y.Map<unknown>]> {
  for (const [id, record] of entriesIn(suggestionsOf(doc))) {
    if (record instanceof Y.Map) yield [id as SuggestionId, record]
  }
}

/** The entry of the file at this path; undefined: none, or a faulty one. */
export const readFileEntry = (doc: Y.Doc, path: string): FileEntry | undefined => {
  const entry = filesOf(doc).get(path)
  return isFileEntry(entry) ? entry : undefined
}

export const fileEntries = function* (doc: Y.Doc): Generator<[string, FileEntry]> {
  for (const [path, entry] of filesOf(doc)) if (isFileEntry(entry)) yield [path, entry]
}
