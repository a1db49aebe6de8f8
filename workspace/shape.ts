import * as Y from 'yjs'
import { entriesIn, findIn } from './buckets.ts'
import type { TaskId } from './ids.ts'
import {
  agentsOf,
  type BlobEntry,
  type BroadcastEntry,
  type EditCount,
  type FileEntry,
  filesOf,
  type IntakeEntry,
  type Note,
  type Offer,
  type Paused,
  PRIORITIES,
  type Priority,
  type Receipt,
  type Removed,
  type TaskFacts,
  type TaskStatus,
  type Transition,
  tasksOf,
} from './schema.ts'

/**
 * Any peer can write anything into the document, so what is read from it is looked at first: a value that has not
 * the shape of docs/SCHEMA.md counts as absent, and hurts nobody but its author.
 */
type Field =
  | 'string'
  | 'number'
  | 'strings'
  | 'optional string'
  | 'optional strings'
  | 'optional number'
  | 'string or null'

const isField = (value: unknown, field: Field): boolean => {
  if (field === 'strings') return isStrings(value)
  if (field === 'optional strings') return value === undefined || isStrings(value)
  if (field === 'optional string') return value === undefined || typeof value === 'string'
  if (field === 'optional number') return value === undefined || typeof value === 'number'
  if (field === 'string or null') return value === null || typeof value === 'string'
  return typeof value === field
}

const shape =
  <T extends object>(fields: { [K in keyof T]-?: Field }) =>
  (value: unknown): value is T =>
    typeof value === 'object' &&
    value !== null &&
    Object.entries<Field>(fields).every(([name, field]) =>
      isField((value as Record<string, unknown>)[name], field),
    )

export const isStrings = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((item) => typeof item === 'string')

export const isBroadcast = shape<BroadcastEntry>({
  id: 'string',
  from: 'string',
  to: 'optional string',
  topic: 'string',
  tags: 'strings',
  content: 'string',
  at: 'number',
  order: 'optional number',
  replyTo: 'optional string',
  trace: 'optional string',
  hops: 'optional number',
})

export const isNote = shape<Note>({
  by: 'string',
  at: 'number',
  text: 'string',
  key: 'optional string',
})

export const isReceipt = shape<Receipt>({ delivered: 'number', read: 'optional number' })

export const isTransition = shape<Transition>({
  state: 'string',
  by: 'string',
  message: 'string',
  at: 'number',
  revision: 'number',
  key: 'string',
  event: 'optional string',
  was: 'optional string',
})

export const isOffer = shape<Offer>({ to: 'string', at: 'number', token: 'number' })

/** The server writes a status, and what is in it beside these as it is in schema.ts. */
export const isTaskStatus = shape<
  Pick<TaskStatus, 'state' | 'owner' | 'message' | 'at' | 'revision' | 'token'>
>({
  state: 'string',
  owner: 'string or null',
  message: 'string',
  at: 'number',
  revision: 'number',
  token: 'number',
}) as (value: unknown) => value is TaskStatus

const hasFacts = shape<Omit<TaskFacts, 'context' | 'priority' | 'afterFailed'>>({
  description: 'string',
  from: 'string',
  to: 'string or null',
  requires: 'optional strings',
  after: 'optional strings',
  deadline: 'optional number',
  parent: 'optional string',
  ref: 'optional string',
  maxAttempts: 'optional number',
  approver: 'optional string',
  createdAt: 'number',
  trace: 'optional string',
  hops: 'optional number',
})

export const isTaskFacts = (value: unknown): value is TaskFacts =>
  hasFacts(value) && PRIORITIES.includes((value as Partial<TaskFacts>).priority as Priority)

/** An id that can stand in a URL; every id that ClawLink makes can. */
const isId = (value: unknown, prefix: string): boolean =>
  typeof value === 'string' && value.startsWith(prefix) && /^[\w.-]{1,128}$/.test(value)

export const isIntakeEntry = (value: unknown): value is IntakeEntry => {
  const entry = value as Partial<Record<string, unknown>> | null
  if (typeof entry !== 'object' || entry === null) return false
  if (entry.kind === 'task') return isId(entry.id, 't-') && isTaskFacts(entry.facts)
  if (entry.kind === 'note') return typeof entry.task === 'string' && isNote(entry.note)
  return entry.kind === 'receipt' && isReceiptEntry(entry)
}

const isReceiptEntry = shape<Omit<Extract<IntakeEntry, { kind: 'receipt' }>, 'kind'>>({
  id: 'string',
  by: 'string',
  delivered: 'optional number',
  read: 'optional number',
})

const hasFileFields = shape<Omit<FileEntry, 'removed'>>({
  fileId: 'string',
  mediaType: 'string',
  createdBy: 'string',
  createdAt: 'number',
  line: 'optional number',
})

const isRemoved = shape<Omit<Removed, 'edits'>>({
  by: 'string',
  at: 'number',
  movedTo: 'optional string',
})

export const isFileEntry = (value: unknown): value is FileEntry => {
  if (!hasFileFields(value)) return false
  const { removed } = value as { removed?: unknown }
  if (removed === undefined) return true
  if (!isRemoved(removed)) return false
  const { edits } = removed as { edits?: unknown }
  return (
    typeof edits === 'object' &&
    edits !== null &&
    Object.values(edits).every((count) => typeof count === 'number')
  )
}

export const isPaused = shape<Paused>({ by: 'string', at: 'number', note: 'string' })
export const isEditCount = shape<EditCount>({ agent: 'string', count: 'number', at: 'number' })

const hasBlobFields = shape<BlobEntry>({
  size: 'number',
  mediaType: 'string',
  by: 'string',
  at: 'number',
})

/** A time that is none would stay the newest for ever, or sort as nothing does. */
export const isBlobEntry = (value: unknown): value is BlobEntry =>
  hasBlobFields(value) && value.size >= 0 && value.at >= 0 && value.at <= 8.64e15

/** One agent's or task's record; undefined where there is none, or something else in its place. */
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

/** The file's entry under this path; undefined where there is none. */
export const fileEntry = (doc: Y.Doc, path: string): FileEntry | undefined => {
  const entry = filesOf(doc).get(path)
  return isFileEntry(entry) ? entry : undefined
}

export const fileEntries = function* (doc: Y.Doc): Generator<[string, FileEntry]> {
  for (const [path, entry] of filesOf(doc)) if (isFileEntry(entry)) yield [path, entry]
}
