import type * as Y from 'yjs'
import { matches, type Term, termsOf } from '../../lib/text/search.ts'
import { ClawError } from '../../protocol/errors.ts'
import type { AgentId } from '../../protocol/ids.ts'
import type { BroadcastEntry } from '../document/schema.ts'
import { eachFile, readFile } from '../files/file-info.ts'
import { broadcastMessage } from '../messages/broadcasts.ts'
import { newestBroadcasts } from '../messages/live-log.ts'
import type { Message } from '../messages/message.ts'
import { listTasks, type Task } from '../tasks/tasks.ts'

/** A place that is searched. */
export type FindPlace = 'messages' | 'tasks' | 'files'

/** A message, a task or a line of a file. */
export type Found =
  | { in: 'messages'; message: Message }
  | { in: 'tasks'; task: Task & { archived?: true } }
  | { in: 'files'; file_key: string; line: number; text: string }

export interface Search {
  terms: readonly Term[]
  /** Null: everywhere. */
  place: FindPlace | null
  /** The reader: it finds no direct messages of others. Null: no agent. */
  me: AgentId | null
  /** Only messages and tasks of this agent; files have no one author. */
  from?: AgentId | undefined
  /** Only messages with this topic. */
  topic?: string | undefined
  /** Milliseconds since the epoch. */
  now: number
}

/** The terms of a query. Throws `usage` for a query without any. */
export const parseQuery = (query: string): Term[] => {
  const terms = termsOf(query)
  if (terms.length > 0) return terms
  throw new ClawError('usage', 'the query has no words', 'like: find "release notes"')
}

/** The text of a message that is searched. */
export const textOfMessage = ({ content, topic, tags }: BroadcastEntry): string =>
  [content, topic, ...tags].join('\n')

/** The text of a task that is searched. */
export const textOfTask = ({ task, message, notes }: Task): string =>
  [task, message, ...notes.map(({ text }) => text)].join('\n')

/** Names a found message or task; lines of files have no id. */
export const idOf = (found: Found): string => {
  if (found.in === 'messages') return found.message.message_id
  return found.in === 'tasks' ? found.task.task_id : `${found.file_key}:${found.line}`
}

/** Found things by place, in the order in which they are shown: messages and tasks newest first, files by name. */
export type FoundBy = Record<FindPlace, Found[]>

/**
 * At most `limit` of what was found: where places have to share, each has its part, and what one leaves over goes to the
 * others. `more`: there is more than that.
 */
export const pageOf = (by: FoundBy, limit: number): { found: Found[]; more: boolean } => {
  const lists = [by.messages, by.tasks, by.files]
  const taken = lists.map(() => 0)
  let left = Math.min(
    limit,
    lists.reduce((sum, { length }) => sum + length, 0),
  )
  const more = lists.reduce((sum, { length }) => sum + length, 0) > left
  while (left > 0) {
    for (const [i, list] of lists.entries()) {
      if (left === 0 || taken[i]! >= list.length) continue
      taken[i]!++
      left--
    }
  }
  return { found: lists.flatMap((list, i) => list.slice(0, taken[i])), more }
}

/** Entries between two pauses of a search (count). */
const PART = 100

const messagesWith = function* (doc: Y.Doc, { terms, me, from, topic, now }: Search) {
  let looked = 0
  for (const entry of newestBroadcasts(doc, now)) {
    if (++looked % PART === 0) yield null
    if (entry.to !== undefined && entry.to !== me && entry.from !== me) continue
    if (from !== undefined && entry.from !== from) continue
    if (topic !== undefined && entry.topic !== topic) continue
    if (!matches(textOfMessage(entry), terms)) continue
    yield { in: 'messages' as const, message: broadcastMessage(entry) }
  }
}

const tasksWith = function* (doc: Y.Doc, { terms, from }: Search) {
  let looked = 0
  for (const task of listTasks(doc).sort((a, b) => (a.updated_at > b.updated_at ? -1 : 1))) {
    if (++looked % PART === 0) yield null
    if (from !== undefined && task.from_agent !== from) continue
    if (matches(textOfTask(task), terms)) yield { in: 'tasks' as const, task }
  }
}

const linesWith = function* (doc: Y.Doc, { terms }: Search) {
  for (const { file_key, media_type } of eachFile(doc)) {
    if (matches(file_key, terms)) yield { in: 'files' as const, file_key, line: 0, text: '' }
    yield null
    if (!media_type.startsWith('text/')) continue
    const { content } = readFile(doc, file_key)
    if (!matches(content, terms)) continue
    for (const [at, text] of content.split('\n').entries()) {
      if (matches(text, terms)) yield { in: 'files' as const, file_key, line: at + 1, text }
    }
  }
}

/**
 * Finds what has all terms in the live document: messages and tasks newest first, then lines of files; line 0 is the name
 * of a file. Reads the whole document at worst; archived entries are not in it. Null: nothing yet, a place to pause.
 */
export const find = function* (doc: Y.Doc, search: Search): Generator<Found | null> {
  const { place, from, topic } = search
  if (place === null || place === 'messages') yield* messagesWith(doc, search)
  if (topic === undefined && (place === null || place === 'tasks')) yield* tasksWith(doc, search)
  const isOfOne = from !== undefined || topic !== undefined
  if (!isOfOne && (place === null || place === 'files')) yield* linesWith(doc, search)
}
