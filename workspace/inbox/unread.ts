import type * as Y from 'yjs'
import { findSuggestion, stateOf } from '../files/suggestions.ts'
import type { Message } from '../messages/message.ts'
import { isOpen } from '../tasks/tasks.ts'
import { MANY_FILES } from './inbox.ts'

/** Reduces unread messages: one per subject that changes often, none of tasks that have ended. */

/**
 * The subject of news: a file, or an agent that changed many; only the newest news of a subject
 * counts. Null: every message counts.
 */
const subjectOf = (message: Message): string | null => {
  if (message.type === 'files_changed') return `many ${message.from_agent}`
  if (message.type !== 'file_updated' && message.type !== 'file_removed') return null
  return `file ${message.file_key}`
}

/** Tells whether a message is news of a file, which can wait. A conflict cannot. */
export const isFileNews = (message: Message): boolean => subjectOf(message) !== null

/** True if a message may become moot by what comes later. */
export const mayBeMoot = ({ type }: Message): boolean =>
  type === 'task_delegation' || type === 'file_suggestion'

/** Tells whether a message is moot: it hands over a task, or waits for a judgement, that has ended. */
export const isMoot = (doc: Y.Doc, message: Message): boolean => {
  const { type, message_id: id } = message
  if (!mayBeMoot(message)) return false
  if (type === 'task_delegation') return !isOpen(doc, id)
  const entry = findSuggestion(doc, id)
  return entry === null || stateOf(entry) !== 'open'
}

/** One message in place of an unread one and a newer one of the same subject. */
const both = (unread: Message, message: Message): Message => {
  if (unread.type === 'file_updated' && message.type === 'file_updated') {
    return { ...message, from_version: unread.from_version ?? unread.version }
  }
  if (unread.type === 'files_changed' && message.type === 'files_changed') {
    // They are mostly the same files, and their number is unknown.
    const keys = new Set([...message.file_keys, ...unread.file_keys])
    return {
      ...message,
      updated: Math.max(message.updated, unread.updated),
      removed: Math.max(message.removed, unread.removed),
      file_keys: [...keys].slice(0, MANY_FILES).sort(),
    }
  }
  return message
}

/** The unread news of files by storage key. */
export class FileNews {
  readonly #bySubject = new Map<string, { key: string; message: Message; since: string }>()
  readonly #subjects = new Map<string, string>()

  /**
   * The messages to store for a new one. `unread`: the key of the unread message that it replaces;
   * null: it replaces none. `since` names the first of the replaced ones.
   */
  merge(message: Message): { message: Message; unread: string | null; since?: string } {
    const subject = subjectOf(message)
    const known = subject === null ? undefined : this.#bySubject.get(subject)
    if (known === undefined) return { message, unread: null }
    return { message: both(known.message, message), unread: known.key, since: known.since }
  }

  add(key: string, message: Message, since = `${key} ${message.message_id}`): void {
    const subject = subjectOf(message)
    if (subject === null) return
    this.#bySubject.set(subject, { key, message, since })
    this.#subjects.set(key, subject)
  }

  /** Forgets a message that was acknowledged or replaced. */
  delete(key: string): void {
    const subject = this.#subjects.get(key)
    if (subject === undefined) return
    this.#subjects.delete(key)
    if (this.#bySubject.get(subject)?.key === key) this.#bySubject.delete(subject)
  }
}
