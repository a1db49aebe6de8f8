import type * as Y from 'yjs'
import type { TaskFacts } from '../document/schema.ts'
import { taskRecords } from '../document/shape.ts'
import { someBroadcasts } from '../messages/live-log.ts'
import { submissions } from './submissions.ts'
import { readEntry } from './tasks.ts'

/** Bytes of an entry beside its text: ids, times, and overhead of Yjs. */
const ENTRY_BYTES = 200

const bytesOf = ({ description, context }: TaskFacts): number =>
  ENTRY_BYTES + description.length + (context === null ? 0 : JSON.stringify(context).length)

/**
 * Approximate bytes of a document that only this agent, an admin or the server can free: its live
 * messages and the tasks that it delegated. Reads all live messages and tasks.
 */
export const usedBytes = (doc: Y.Doc, agent: string): number => {
  let bytes = 0
  for (const { from, content } of someBroadcasts(doc)) {
    if (from === agent) bytes += ENTRY_BYTES + content.length
  }
  for (const [id, record] of taskRecords(doc)) {
    const facts = readEntry(id, record)?.facts
    if (facts?.from === agent) bytes += bytesOf(facts)
  }
  for (const entry of submissions(doc)) {
    if (entry.kind === 'task' && entry.facts.from === agent) bytes += bytesOf(entry.facts)
  }
  return bytes
}
