import * as Y from 'yjs'
import type { AgentId } from '../../protocol/ids.ts'
import { MAX_HISTORY } from '../../protocol/limits.ts'
import { taskStatus } from '../document/records.ts'
import {
  type Note,
  type Offer,
  SERVER_ID,
  type TaskEvent,
  type TaskStatus,
  type Transition,
} from '../document/schema.ts'
import { isOffer } from '../document/shape.ts'
import { must } from '../document/values.ts'
import { isTerminal } from './task-states.ts'
import { historyOf, readEntry, type TaskEntry } from './tasks.ts'

/** Appends to one of the arrays of a record; creates the array when needed. Server only. */
export const push = <T extends Note | Offer | Transition>(
  record: Y.Map<unknown>,
  field: 'history' | 'notes' | 'offers',
  value: T,
): void => {
  const known = record.get(field)
  if (known instanceof Y.Array) known.push([value])
  else record.set(field, Y.Array.from([value]))
}

/** The offers of a task, oldest first. */
export const offersOf = (record: Y.Map<unknown>): Offer[] => {
  const offers = record.get('offers')
  return offers instanceof Y.Array ? offers.toArray().filter(isOffer) : []
}

/**
 * A change of a task: its new state, its author, and the other fields of its status that change.
 */
export interface TaskChange {
  state: TaskStatus['state']
  by: AgentId
  message: string
  /** Idempotency key of the command. */
  key: string
  now: number
  event?: TaskEvent
  /** Absent: unchanged. */
  owner?: AgentId | null
  more?: Partial<TaskStatus>
}

/**
 * Writes a change. Fields of one state end with it: progress with the work, a pending result with
 * the wait for approval; a request to cancel stays until the task has ended. Server only: it is the
 * one writer of `status` and `history`, so a task has one owner and a finished task stays finished.
 * Throws `invalid`.
 */
export const writeStep = (
  doc: Y.Doc,
  { record, status, ...entry }: TaskEntry,
  step: TaskChange,
): TaskEntry => {
  if (record === null) throw new Error(`${entry.id} is not filed`)
  const { state, by, message, key, now, event, more } = step
  const owner = step.owner === undefined ? status.owner : step.owner
  const { cancel, percent, pending: _, result, ...kept } = status
  const next: TaskStatus = {
    ...kept,
    ...(!isTerminal(state) && cancel !== undefined && { cancel }),
    ...(state === 'working' && owner === status.owner && percent !== undefined && { percent }),
    ...(isTerminal(state) && result !== undefined && { result }),
    ...more,
    state,
    owner,
    message,
    at: now,
    revision: status.revision + 1,
  }
  must(taskStatus, next, entry.id)
  const transition: Transition = {
    ...{ state, by, message, at: now, revision: next.revision, key },
    ...(event !== undefined && { event }),
    ...(status.owner !== null && status.owner !== owner && { was: status.owner }),
  }
  doc.transact(() => {
    record.set('status', next)
    // Repeated progress must not fill the document; the first report and later steps are always
    // kept.
    const isProgress = state === 'working' && status.state === 'working' && event === undefined
    if (!isProgress || historyOf({ record, status, ...entry }).length < MAX_HISTORY) {
      push(record, 'history', transition)
    }
  })
  return readEntry(entry.id, record)!
}

/** Writes a change that time or another task makes. */
export const writeServerStep = (
  doc: Y.Doc,
  entry: TaskEntry,
  step: Omit<TaskChange, 'by' | 'key'>,
): TaskEntry =>
  writeStep(doc, entry, {
    ...step,
    by: SERVER_ID,
    key: `${SERVER_ID}-${entry.status.revision + 1}`,
  })
