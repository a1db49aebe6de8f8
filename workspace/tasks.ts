import * as Y from 'yjs'
import { resolveAgent } from './agents.ts'
import { ClawError } from './errors.ts'
import type { AgentId, TaskId } from './ids.ts'
import { MAX_CONTEXT_BYTES, MAX_MESSAGE_BYTES, MAX_RESULT_BYTES } from './limits.ts'
import {
  isoTime,
  type Json,
  type Note,
  PRIORITIES,
  type Priority,
  type TaskFacts,
  type TaskState,
  type TaskStatus,
  type Transition,
  tasksOf,
} from './schema.ts'
import { isNote, isTaskStatus, isTransition, taskRecord, taskRecords } from './shape.ts'
import { didYouMean } from './suggest.ts'
import { type Trace, traceFields, traceIn } from './trace.ts'
import { within } from './validate.ts'

export type Role = 'addressee' | 'owner' | 'creator'

/**
 * Who may move a task from where to where. States are those of the A2A protocol; what is not here is refused.
 * `addressee` is the agent the task was given to (anyone, for a task given to no one in particular), and only
 * until somebody owns it; `owner` is the agent that the server granted it to; `creator` delegated it.
 */
export const TRANSITIONS: Readonly<Record<TaskState, Partial<Record<TaskState, readonly Role[]>>>> =
  {
    submitted: {
      working: ['addressee'],
      'input-required': ['addressee'],
      completed: ['addressee'],
      failed: ['addressee'],
      rejected: ['addressee'],
      canceled: ['creator'],
    },
    working: {
      working: ['owner'],
      'input-required': ['owner'],
      completed: ['owner'],
      failed: ['owner'],
      canceled: ['creator'],
    },
    'input-required': {
      working: ['owner', 'creator'],
      'input-required': ['owner'],
      completed: ['owner'],
      failed: ['owner'],
      canceled: ['creator'],
    },
    completed: {},
    failed: {},
    canceled: {},
    rejected: {},
  }

export const isTerminal = (state: TaskState): boolean =>
  Object.keys(TRANSITIONS[state]).length === 0

/** Reads a state as people type it; `in_progress` is ClawLink 1.x's word for `working`. Throws `bad_status`. */
export const parseState = (text: string): TaskState => {
  const state = text.trim().toLowerCase().replaceAll('_', '-')
  if (state === 'in-progress') return 'working'
  if (Object.hasOwn(TRANSITIONS, state)) return state as TaskState
  const known = ['in_progress', ...Object.keys(TRANSITIONS)]
  throw new ClawError(
    'bad_status',
    `"${text}" is not a task status`,
    `${didYouMean(text, known)} one of: in_progress, completed, failed, input-required, rejected`.trim(),
  )
}

/** A state as ClawLink 1.x's messages have it. */
export const state1x = (state: TaskState): string => (state === 'working' ? 'in_progress' : state)

/** A task as every face shows it. */
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
  notes: TaskNote[]
  /** The chain of messages that led to it; absent where none did. */
  trace?: Trace
}

/** A note on a task as every face shows it. */
export interface TaskNote {
  by: string
  at: string
  text: string
}

export interface NewTask extends Omit<TaskFacts, 'createdAt' | 'trace' | 'hops'> {
  id: TaskId
  trace?: Trace | null
  now: number
}

/** Adds a task. Its addressee must exist already. Throws `too_large`. */
export const addTask = (doc: Y.Doc, task: NewTask): void => {
  const facts: TaskFacts = {
    description: within('task', task.description, MAX_MESSAGE_BYTES),
    context: task.context,
    priority: task.priority,
    from: task.from,
    to: task.to,
    createdAt: task.now,
    ...traceFields(task.trace),
  }
  within('context', JSON.stringify(task.context), MAX_CONTEXT_BYTES)
  const record = new Y.Map<unknown>(Object.entries(facts))
  record.set('history', new Y.Array<Transition>())
  record.set('notes', new Y.Array<Note>())
  tasksOf(doc).set(task.id, record)
}

const UNTOUCHED: TaskStatus = {
  state: 'submitted',
  owner: null,
  message: '',
  at: 0,
  revision: 0,
}

const readTask = (id: TaskId, record: Y.Map<unknown>): Task => {
  const written = record.get('status')
  const status =
    isTaskStatus(written) && Object.hasOwn(TRANSITIONS, written.state) ? written : UNTOUCHED
  const priority = record.get('priority') as Priority
  const createdAt = Number(record.get('createdAt') ?? 0)
  const to = record.get('to')
  return {
    task_id: id,
    message_id: id,
    task: String(record.get('description') ?? ''),
    context: (record.get('context') as Json | undefined) ?? null,
    priority: PRIORITIES.includes(priority) ? priority : 'normal',
    from_agent: String(record.get('from') ?? '') as AgentId,
    to_agent: typeof to === 'string' ? (to as AgentId) : null,
    created_at: isoTime(createdAt),
    status: status.state,
    owner: status.owner,
    message: status.message,
    updated_at: isoTime(status.revision === 0 ? createdAt : status.at),
    revision: status.revision,
    notes: notesOf(record).map(({ by, at, text }) => ({ by, at: isoTime(at), text })),
    ...traceIn({ trace: record.get('trace'), hops: record.get('hops') }),
  }
}

/** The notes, oldest first; none where a task was made before there were notes. */
const notesOf = (record: Y.Map<unknown>): Note[] => {
  const notes = record.get('notes')
  if (!(notes instanceof Y.Array)) return []
  return notes
    .toArray()
    .filter(isNote)
    .sort((a, b) => a.at - b.at)
}

/** Appends a note to a task, finished or not. Throws `unknown_task`, `too_large`. */
export const addNote = (doc: Y.Doc, id: string, by: AgentId, text: string, now: number): void => {
  const record = recordOf(doc, id)
  const note: Note = { by, at: now, text: within('note', text, MAX_MESSAGE_BYTES) }
  doc.transact(() => {
    if (!(record.get('notes') instanceof Y.Array)) record.set('notes', new Y.Array<Note>())
    ;(record.get('notes') as Y.Array<Note>).push([note])
  })
}

const recordOf = (doc: Y.Doc, id: string): Y.Map<unknown> => {
  const record = taskRecord(doc, id)
  if (record !== undefined) return record
  throw new ClawError(
    'unknown_task',
    `no task "${id}" in this workspace`,
    didYouMean(
      id,
      [...taskRecords(doc)].map(([known]) => known),
    ) || 'poll prints the id of each task given to you',
  )
}

/** One task; throws `unknown_task` with a did-you-mean. */
export const getTask = (doc: Y.Doc, id: string): Task => readTask(id as TaskId, recordOf(doc, id))

/** All tasks, oldest first, then by id. */
export const listTasks = (doc: Y.Doc): Task[] => {
  const tasks: Task[] = []
  for (const [id, record] of taskRecords(doc)) tasks.push(readTask(id as TaskId, record))
  const order = (task: Task) => `${task.created_at} ${task.task_id}`
  return tasks.sort((a, b) => (order(a) < order(b) ? -1 : 1))
}

/** The transitions of a task, oldest first. */
export const taskHistory = (doc: Y.Doc, id: string): Transition[] =>
  historyOf(recordOf(doc, id))?.toArray().filter(isTransition) ?? []

const historyOf = (record: Y.Map<unknown>): Y.Array<Transition> | null => {
  const history = record.get('history')
  return history instanceof Y.Array ? history : null
}

const hasRole = (role: Role, task: Task, by: AgentId): boolean => {
  if (role === 'creator') return task.from_agent === by
  if (role === 'owner') return task.owner === by
  return task.to_agent === null || task.to_agent === by
}

export interface Command {
  task: string
  by: AgentId
  /** Whom the sender believes it answers (id or name), where it said so: must be the task's creator. */
  to?: string | undefined
  state: TaskState
  message: string
  /** Idempotency key: the same key with the same state and message answers the first outcome again. */
  key: string
  now: number
}

/**
 * Moves a task, or throws: `unknown_task`, `unknown_agent`, `task_terminal`, `task_taken` (another agent has it), `task_state`
 * (no such transition), `not_allowed`, `key_reused`, `too_large`. Server only: it is the one writer of `status`
 * and `history`, and that is why a task has one owner and a finished one stays finished.
 */
export const moveTask = (doc: Y.Doc, command: Command): Task => {
  const { by, state } = command
  const record = recordOf(doc, command.task)
  const task = readTask(command.task as TaskId, record)
  const message = within('result', command.message, MAX_RESULT_BYTES)
  const history = historyOf(record) ?? new Y.Array<Transition>()
  if (command.to !== undefined && resolveAgent(doc, command.to) !== task.from_agent) {
    throw new ClawError(
      'not_allowed',
      `${task.task_id} was delegated by ${task.from_agent}, not by ${command.to}`,
      `answer with --to ${task.from_agent}`,
    )
  }

  for (const done of taskHistory(doc, command.task)) {
    if (done.key !== command.key || done.by !== by) continue
    if (done.state === state && done.message === message) {
      const { revision, at } = done
      return { ...task, status: state, message, revision, updated_at: isoTime(at) }
    }
    throw new ClawError(
      'key_reused',
      `idempotency key "${command.key}" was used for another command on ${task.task_id}`,
      'use a new key for a new command',
    )
  }

  const roles = TRANSITIONS[task.status][state]
  if (isTerminal(task.status)) {
    throw new ClawError(
      'task_terminal',
      `${task.task_id} is ${task.status}; a finished task stays as it is`,
      'delegate a new task that refers to it',
    )
  }
  if (roles?.some((role) => hasRole(role, task, by)) !== true) {
    if (task.owner !== null && task.owner !== by && hasRole('addressee', task, by)) {
      throw new ClawError(
        'task_taken',
        `${task.task_id} is ${task.status} and belongs to ${task.owner}`,
        'leave it to its owner and take another task',
      )
    }
    if (roles === undefined) {
      throw new ClawError(
        'task_state',
        `${task.task_id} is ${task.status}; it cannot become ${state}`,
        `possible now: ${Object.keys(TRANSITIONS[task.status]).join(', ')}`,
      )
    }
    throw new ClawError(
      'not_allowed',
      `only its ${roles.join(' or ')} may make ${task.task_id} ${state} (it is ${task.status})`,
      task.to_agent === null ? '' : `the task was given to ${task.to_agent}`,
    )
  }

  const owner = task.owner ?? (state === 'canceled' || state === 'rejected' ? null : by)
  const revision = task.revision + 1
  const at = command.now
  doc.transact(() => {
    if (history.parent === null) record.set('history', history)
    record.set('status', { state, owner, message, at, revision } satisfies TaskStatus)
    history.push([{ state, by, message, at, revision, key: command.key }])
  })
  return readTask(task.task_id, record)
}
