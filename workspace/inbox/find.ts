import type * as Y from 'yjs'
import type { AgentId } from '../../protocol/ids.ts'
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
  | { in: 'tasks'; task: Task }
  | { in: 'files'; file_key: string; line: number; text: string }

export interface Search {
  query: string
  /** Null: everywhere. */
  place: FindPlace | null
  /** The reader: it finds no direct messages of others. Null: no agent. */
  me: AgentId | null
  /** Milliseconds since the epoch. */
  now: number
}

/** The words of a query in lower case; what stands in quotation marks is one. */
export const wordsOf = (query: string): string[] =>
  [...query.toLowerCase().matchAll(/"([^"]+)"|([^\s"]+)/g)].map(([, whole, word]) => whole ?? word!)

const messagesWith = function* (doc: Y.Doc, { me, now }: Search, isIn: (text: string) => boolean) {
  for (const entry of newestBroadcasts(doc, now)) {
    if (entry.to !== undefined && entry.to !== me && entry.from !== me) continue
    const { content, topic, tags } = entry
    if (!isIn([content, topic, ...tags].join('\n'))) continue
    yield { in: 'messages' as const, message: broadcastMessage(entry) }
  }
}

const tasksWith = function* (doc: Y.Doc, isIn: (text: string) => boolean) {
  for (const task of listTasks(doc).sort((a, b) => (a.updated_at > b.updated_at ? -1 : 1))) {
    const notes = task.notes.map(({ text }) => text)
    if (isIn([task.task, task.message, ...notes].join('\n'))) yield { in: 'tasks' as const, task }
  }
}

const linesWith = function* (doc: Y.Doc, isIn: (text: string) => boolean) {
  for (const { file_key, media_type } of eachFile(doc)) {
    if (isIn(file_key)) yield { in: 'files' as const, file_key, line: 0, text: '' }
    if (!media_type.startsWith('text/')) continue
    const { content } = readFile(doc, file_key)
    if (!isIn(content)) continue
    for (const [at, text] of content.split('\n').entries()) {
      if (isIn(text)) yield { in: 'files' as const, file_key, line: at + 1, text }
    }
  }
}

/**
 * Finds all words of the query in the live document: messages and tasks newest first, then lines of files; line 0 is
 * the name of a file. Reads the whole document at worst; archived entries are not in it.
 */
export const find = function* (doc: Y.Doc, search: Search): Generator<Found> {
  const words = wordsOf(search.query)
  const isIn = (text: string): boolean => {
    const lower = text.toLowerCase()
    return words.every((word) => lower.includes(word))
  }
  if (words.length === 0) return
  const { place } = search
  if (place === null || place === 'messages') yield* messagesWith(doc, search, isIn)
  if (place === null || place === 'tasks') yield* tasksWith(doc, isIn)
  if (place === null || place === 'files') yield* linesWith(doc, isIn)
}
