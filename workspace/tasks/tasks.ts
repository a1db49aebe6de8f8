import type * as Y from 'yjs'
import { didYouMean } from '../../lib/text/suggest.ts'
import { ClawError } from '../../protocol/errors.ts'
import { type AgentId, otherKind, type TaskId } from '../../protocol/ids.ts'
import {
  MAX_CONTEXT_BYTES,
  MAX_MESSAGE_BYTES,
  MAX_NAME_BYTES,
  MAX_TASK_LINKS,
} from '../../protocol/limits.ts'
import {
  isoTime,
  type Json,
  type Note,
  type Priority,
  type TaskFacts,
  type TaskResult,
  type TaskState,
  type TaskStatus,
  type Transition,
} from '../document/schema.ts'
import {
  isNote,
  isTaskFacts,
  isTaskStatus,
  isTransition,
  taskRecord,
  taskRecords,
} from '../document/shape.ts'
import { checkNames, checkSaid, within } from '../document/validate.ts'
import { type Trace, traceFields, traceIn } from '../messages/trace.ts'
import { submissions, submit } from './submissions.ts'
import { isTerminal } from './task-states.ts'

/** A task as every face shows it. What is absent does not apply. */
export interface Task {
  task_id: TaskId
  message_id: TaskId
  task: string
  context: Json
  priority: Priority
  from_agent: AgentId
  to_agent: AgentId | null
  created_at: string
  status: TaskState
  owner: AgentId | null
  message: string
  updated_at: string
  revision: number
  /** The fencing token of the newest grant; 0: it was never granted. */
  token: number
  notes: TaskNote[]
  requires?: string[]
  after?: TaskId[]
  /** Tasks in `after` that have not ended yet. */
  blocked_by?: TaskId[]
  deadline?: string
  parent?: TaskId
  ref?: TaskId
  approve_by?: AgentId
  /** Its result waits for `approve_by`. */
  awaits_approval?: true
  percent?: number
  result_json?: Json
  artifacts?: NonNullable<TaskResult['artifacts']>
  /** Files of which others had changed what the author of the result had read. */
  stale?: NonNullable<TaskResult['stale']>
  /** Such a result is refused. */
  fresh?: true
  /** The reason of its creator for asking its owner to stop. */
  cancel_asked?: string
  /** The chain of messages that led to it. */
  trace?: Trace
}

/** A note on a task as every face shows it. */
export interface TaskNote {
  by: string
  at: string
  text: string
}

/** A transition as every face shows it. */
export type TaskStep = Omit<Transition, 'at' | 'key'> & { at: string }

export const showStep = ({ key: _, at, ...step }: Transition): TaskStep => ({
  ...step,
  at: isoTime(at),
})

/** A task as the document has it: the facts by its creator and the status by the server. */
export interface TaskEntry {
  id: TaskId
  facts: TaskFacts
  status: TaskStatus
  /** Null: the server has not filed it yet. */
  record: Y.Map<unknown> | null
}

export interface NewTask extends Omit<TaskFacts, 'createdAt' | 'trace' | 'hops'> {
  id: TaskId
  trace?: Trace | null
  now: number
}

/**
 * Submits a task. The agents that it names must exist, and so must the tasks that it waits for.
 * Throws `usage`, `too_large`, `bad_name`, `task_cycle`.
 */
export const addTask = (doc: Y.Doc, { id, now, trace, ...task }: NewTask): void => {
  const requires = checkNames('capabilities', task.requires ?? [])
  const after = [...new Set(task.after)]
  if (after.length > MAX_TASK_LINKS) {
    throw new ClawError(
      'too_large',
      `the task waits for ${after.length} tasks; the limit is ${MAX_TASK_LINKS}`,
      'wait for one task that waits for the others',
    )
  }
  for (const other of after) within('a task id', other, MAX_NAME_BYTES)
  const cycle = cycleOf(id, after, (other) => findEntry(doc, other)?.facts.after)
  if (cycle !== null) throw cycleError(cycle)
  within('context', JSON.stringify(task.context), MAX_CONTEXT_BYTES)
  const facts: TaskFacts = {
    ...task,
    description: checkSaid('task', task.description, MAX_MESSAGE_BYTES),
    createdAt: now,
    ...traceFields(trace),
  }
  // Absent fields take no space.
  for (const [name, list] of [['requires', requires] as const, ['after', after] as const]) {
    delete facts[name]
    if (list.length > 0) Object.assign(facts, { [name]: list })
  }
  submit(doc, { kind: 'task', id, facts: JSON.parse(JSON.stringify(facts)) as TaskFacts })
}

/**
 * The cycle by which a task with these dependencies waits for itself; null: it does not. The cost
 * grows with the tasks before it.
 */
export const cycleOf = (
  id: TaskId,
  after: readonly TaskId[],
  afterOf: (id: TaskId) => readonly TaskId[] | undefined,
): TaskId[] | null => {
  /** The task from which each was reached. */
  const from = new Map<TaskId, TaskId>()
  const todo: [TaskId, readonly TaskId[]][] = [[id, after]]
  for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
    const [by, others] = next
    for (const other of others) {
      if (other === id) return wayTo(id, by, from)
      if (from.has(other)) continue
      from.set(other, by)
      todo.push([other, afterOf(other) ?? []])
    }
  }
  return null
}

const wayTo = (id: TaskId, last: TaskId, from: ReadonlyMap<TaskId, TaskId>): TaskId[] => {
  const way = [id]
  for (let at: TaskId | undefined = last; at !== undefined && at !== id; at = from.get(at)) {
    way.unshift(at)
  }
  return [id, ...way]
}

export const cycleError = (cycle: readonly TaskId[]): ClawError =>
  new ClawError('task_cycle', `the task waits for itself: ${cycle.join(' → ')}`, 'change --after')

const UNTOUCHED: TaskStatus = {
  state: 'submitted',
  owner: null,
  message: '',
  at: 0,
  revision: 0,
  token: 0,
}

/** A filed task; undefined: the record is malformed. */
export const readEntry = (id: TaskId, record: Y.Map<unknown>): TaskEntry | undefined => {
  const facts = record.get('facts')
  if (!isTaskFacts(facts)) return undefined
  const written = record.get('status')
  return { id, facts, status: isTaskStatus(written) ? written : UNTOUCHED, record }
}

/** Tells whether a task is filed and has not ended. */
export const isOpen = (doc: Y.Doc, id: string): boolean => {
  const record = taskRecord(doc, id)
  const entry = record && readEntry(id as TaskId, record)
  return entry !== undefined && !isTerminal(entry.status.state)
}

const unfiled = (doc: Y.Doc): TaskEntry[] => {
  const found = new Map<TaskId, TaskEntry>()
  for (const entry of submissions(doc)) {
    if (entry.kind !== 'task' || found.has(entry.id) || taskRecord(doc, entry.id)) continue
    const { id, facts } = entry
    found.set(id, { id, facts, status: UNTOUCHED, record: null })
  }
  return [...found.values()]
}

/** One task, filed or not. */
export const findEntry = (doc: Y.Doc, id: string): TaskEntry | undefined => {
  const record = taskRecord(doc, id)
  if (record !== undefined) return readEntry(id as TaskId, record)
  return unfiled(doc).find((entry) => entry.id === id)
}

/** As `findEntry`; throws `unknown_task` with a did-you-mean. */
export const entryOf = (doc: Y.Doc, id: string): TaskEntry => {
  const found = findEntry(doc, id)
  if (found !== undefined) return found
  const known = [...entries(doc)].map((entry) => entry.id)
  throw new ClawError(
    'unknown_task',
    `no task "${id}" in this workspace${otherKind(id, 't')}`,
    didYouMean(id, known) || 'run tasks to see the open ones',
  )
}

/** All live tasks, in no order. */
export const entries = function* (doc: Y.Doc): Generator<TaskEntry> {
  for (const [id, record] of taskRecords(doc)) {
    const entry = readEntry(id, record)
    if (entry !== undefined) yield entry
  }
  yield* unfiled(doc)
}

/**
 * The open tasks that a task waits for. A dependency that the document no longer has is archived:
 * it has ended, and the server has checked its outcome.
 */
export const blockers = (
  { after = [] }: TaskFacts,
  find: (id: TaskId) => TaskEntry | undefined,
): TaskId[] =>
  after.filter((id) => {
    const entry = find(id)
    return entry !== undefined && !isTerminal(entry.status.state)
  })

/** The elements of one of the arrays of a record, after those from before schema version 2. */
const listOf = <T>(
  record: Y.Map<unknown> | null,
  field: 'history' | 'notes',
  is: (value: unknown) => value is T,
): T[] => {
  const past: unknown = record?.get(field === 'history' ? 'past' : 'pastNotes')
  const list: unknown = record?.get(field)
  return [
    ...(Array.isArray(past) ? past.filter(is) : []),
    ...(isArray(list) ? list.toArray().filter(is) : []),
  ]
}

const isArray = (value: unknown): value is Y.Array<unknown> =>
  typeof (value as Y.Array<unknown> | undefined)?.toArray === 'function'

/** The transitions of a task, oldest first. */
export const historyOf = ({ record }: TaskEntry): Transition[] =>
  listOf(record, 'history', isTransition)

export const taskHistory = (doc: Y.Doc, id: string): Transition[] => historyOf(entryOf(doc, id))

/** The notes, oldest first. */
export const taskNotes = (doc: Y.Doc, { id, record }: TaskEntry): Note[] => {
  const waiting = submissions(doc).flatMap((entry) =>
    entry.kind === 'note' && entry.task === id ? [entry.note] : [],
  )
  return [...listOf(record, 'notes', isNote), ...waiting].sort((a, b) => a.at - b.at)
}

/** A task as every face shows it; `blockedBy` and `notes` as the document has them. */
export const showTask = (entry: TaskEntry, blockedBy: TaskId[], notes: readonly Note[]): Task => {
  const { id, facts, status } = entry
  const { requires, after, deadline, parent, ref, approver, createdAt } = facts
  const { percent, result, pending, cancel } = status
  return {
    task_id: id,
    message_id: id,
    task: facts.description,
    context: facts.context ?? null,
    priority: facts.priority,
    from_agent: facts.from,
    to_agent: facts.to,
    created_at: isoTime(createdAt),
    status: status.state,
    owner: status.owner,
    message: status.message,
    updated_at: isoTime(status.revision === 0 ? createdAt : status.at),
    revision: status.revision,
    token: status.token,
    notes: notes.map(({ by, at, text }) => ({ by, at: isoTime(at), text })),
    ...(requires !== undefined && { requires }),
    ...(after !== undefined && { after }),
    ...(blockedBy.length > 0 && { blocked_by: blockedBy }),
    ...(deadline !== undefined && { deadline: isoTime(deadline) }),
    ...(parent !== undefined && { parent }),
    ...(ref !== undefined && { ref }),
    ...(approver !== undefined && { approve_by: approver }),
    ...(pending && { awaits_approval: pending }),
    ...(percent !== undefined && { percent }),
    ...(result?.json !== undefined && { result_json: result.json }),
    ...(result?.artifacts !== undefined && { artifacts: result.artifacts }),
    ...(result?.stale !== undefined && { stale: result.stale }),
    ...(facts.fresh && { fresh: facts.fresh }),
    ...(cancel !== undefined && !isTerminal(status.state) && { cancel_asked: cancel.reason }),
    ...traceIn(facts),
  }
}

const show = (doc: Y.Doc, entry: TaskEntry): Task =>
  showTask(
    entry,
    blockers(entry.facts, (id) => findEntry(doc, id)),
    taskNotes(doc, entry),
  )

/** One task; throws `unknown_task` with a did-you-mean. */
export const getTask = (doc: Y.Doc, id: string): Task => show(doc, entryOf(doc, id))

/** All live tasks, oldest first, then by id. */
export const listTasks = (doc: Y.Doc): Task[] => {
  const tasks = [...entries(doc)].map((entry) => show(doc, entry))
  const order = (task: Task) => `${task.created_at} ${task.task_id}`
  return tasks.sort((a, b) => (order(a) < order(b) ? -1 : 1))
}

/** Submits a note on a task, also on an ended one. Throws `unknown_task`, `usage`, `too_large`. */
export const addNote = (doc: Y.Doc, id: string, by: AgentId, text: string, now: number): void => {
  const { id: task } = entryOf(doc, id)
  const note: Note = { by, at: now, text: checkSaid('note', text, MAX_MESSAGE_BYTES) }
  submit(doc, { kind: 'note', task, note })
}
