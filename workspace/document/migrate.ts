import * as Y from 'yjs'
import type { TaskId } from '../../protocol/ids.ts'
import { putIn } from './buckets.ts'
import {
  metaOf,
  PRIORITIES,
  type Priority,
  receiptsOf,
  SCHEMA_VERSION,
  type TaskFacts,
  tasksOf,
} from './schema.ts'
import { isNote, isReceipt, isTaskFacts, isTransition, taskRecord } from './shape.ts'

/**
 * Migrates a document of schema version 1, where tasks and receipts stood directly in `tasks` and
 * `receipts`, with the facts as fields of the task. The history of a task is kept as the plain
 * values `past` and `pastNotes`: their readers were told then, and must not be told again. Server
 * only; call it in a transaction. Returns the migrated tasks.
 */
export const migrate = (doc: Y.Doc): TaskId[] => {
  const moved: TaskId[] = []
  const tasks = tasksOf(doc)
  for (const [id, old] of [...tasks]) {
    const facts = old instanceof Y.Map ? oldFacts(old) : null
    if (facts === null) continue
    const list = (field: string): unknown[] => {
      const found = old.get(field)
      return found instanceof Y.Array ? found.toArray() : []
    }
    const status = old.get('status')
    const record = new Y.Map<unknown>([
      ['facts', facts],
      ['past', list('history').filter(isTransition)],
      ['pastNotes', list('notes').filter(isNote)],
      ...(typeof status === 'object' && status !== null
        ? [['status', { token: ownerIn(status) === null ? 0 : 1, ...status }] as const]
        : []),
    ])
    tasks.delete(id)
    putIn(tasks, id, record)
    moved.push(id as TaskId)
  }
  const receipts = receiptsOf(doc)
  for (const [id, receipt] of [...receipts] as [string, unknown][]) {
    if (!isReceipt(receipt)) continue
    receipts.delete(id)
    const record = taskRecord(doc, id)
    if (record === undefined) putIn(receipts, id, receipt)
    else record.set('receipt', receipt)
  }
  if (metaOf(doc).get('schemaVersion') === 1) metaOf(doc).set('schemaVersion', SCHEMA_VERSION)
  return moved
}

const ownerIn = (status: object): unknown => (status as { owner?: unknown }).owner ?? null

const oldFacts = (old: Y.Map<unknown>): TaskFacts | null => {
  if (typeof old.get('description') !== 'string') return null
  const names = ['description', 'context', 'from', 'to', 'createdAt', 'trace', 'hops']
  const known = names.filter((name) => old.get(name) !== undefined)
  const priority = old.get('priority') as Priority
  const facts: unknown = {
    to: null,
    createdAt: 0,
    ...Object.fromEntries(known.map((name) => [name, old.get(name)])),
    priority: PRIORITIES.includes(priority) ? priority : 'normal',
  }
  return isTaskFacts(facts) ? facts : null
}
