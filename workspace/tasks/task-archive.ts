import * as Y from 'yjs'
import type { AgentId, TaskId } from '../../protocol/ids.ts'
import { elementsOf } from '../document/rows.ts'
import type { Note, Offer, Receipt, TaskFacts, TaskStatus, Transition } from '../document/schema.ts'
import {
  isNote,
  isOffer,
  isReceipt,
  isTaskFacts,
  isTaskStatus,
  isTransition,
} from '../document/shape.ts'
import { showTask, type Task } from './tasks.ts'

/** An element of a list with its Yjs id: a replica whose state vector covers it has seen it. */
export interface Placed<T> {
  client: number
  clock: number
  value: T
}

/** An archived task with its history, notes, offers and receipt. */
export interface ArchivedTask {
  id: TaskId
  facts: TaskFacts
  status: TaskStatus
  history: Placed<Transition>[]
  notes: Placed<Note>[]
  offers: Placed<Offer>[]
  receipt: Receipt | null
  /** When it was archived: milliseconds since the epoch, by the server's clock. */
  at: number
}

/** The place of entries that the document no longer has: every state vector covers it. */
const NOWHERE = { client: 0, clock: 0 }

const placedIn = <T>(
  record: Y.Map<unknown>,
  field: string,
  is: (value: unknown) => value is T,
): Placed<T>[] => {
  const past = record.get({ history: 'past', notes: 'pastNotes' }[field] ?? '')
  const found: Placed<T>[] = Array.isArray(past)
    ? past.filter(is).map((value) => ({ ...NOWHERE, value }))
    : []
  const list = record.get(field)
  if (!(list instanceof Y.Array)) return found
  for (const { client, clock, value } of elementsOf(list)) {
    if (is(value)) found.push({ client, clock, value })
  }
  return found
}

/** The form in which a task is archived. */
export const archivedOf = (
  entry: { id: TaskId; facts: TaskFacts; status: TaskStatus; record: Y.Map<unknown> | null },
  now: number,
): ArchivedTask => {
  const { id, facts, status } = entry
  const record = entry.record!
  const receipt = record.get('receipt')
  return {
    ...{ id, facts, status },
    history: placedIn(record, 'history', isTransition),
    notes: placedIn(record, 'notes', isNote),
    offers: placedIn(record, 'offers', isOffer),
    receipt: isReceipt(receipt) ? receipt : null,
    at: now,
  }
}

/** The same with a later note. Nobody is told of the note. */
export const withNote = (task: ArchivedTask, note: Note): ArchivedTask => ({
  ...task,
  notes: [...task.notes, { ...NOWHERE, value: note }],
})

/** The archive entry of a task. */
export const storedTask = (task: ArchivedTask) => ({
  shelf: 'tasks' as const,
  id: task.id as string,
  value: new TextEncoder().encode(JSON.stringify(task)),
})

/** Reads an archived task; null: the value is malformed. */
export const readArchivedTask = (value: Uint8Array): ArchivedTask | null =>
  readArchivedTaskJson(new TextDecoder().decode(value))

export const readArchivedTaskJson = (json: string): ArchivedTask | null => {
  const task = JSON.parse(json) as ArchivedTask
  return isArchivedTask(task) ? task : null
}

export const isArchivedTask = (task: ArchivedTask): boolean =>
  isTaskFacts(task?.facts) &&
  isTaskStatus(task.status) &&
  [task.history, task.notes, task.offers].every(Array.isArray)

/** Tells whether an agent was told, or is to be told, of a task. */
export const concerns = ({ facts, history, offers }: ArchivedTask, me: AgentId): boolean =>
  [facts.from, facts.to, facts.approver].includes(me) ||
  offers.some(({ value }) => value.to === me) ||
  history.some(({ value }) => value.by === me || value.was === me)

/** An archived task as every face shows it. */
export const showArchived = ({ id, facts, status, notes }: ArchivedTask): Task =>
  showTask(
    { id, facts, status, record: null },
    [],
    notes.map(({ value }) => value),
  )
