import { describe, expect, it } from 'vitest'
import type * as Y from 'yjs'
import { registerAgent } from '../../workspace/agents.ts'
import { MAX_CONTEXT_BYTES, MAX_MESSAGE_BYTES, MAX_RESULT_BYTES } from '../../workspace/limits.ts'
import type { TaskState } from '../../workspace/schema.ts'
import { tasksOf } from '../../workspace/schema.ts'
import {
  addTask,
  type Command,
  getTask,
  isTerminal,
  listTasks,
  moveTask,
  parseState,
  type Role,
  state1x,
  TRANSITIONS,
  taskHistory,
} from '../../workspace/tasks.ts'
import { agentId, codeOf, replica, taskId } from './replicas.ts'

const creator = agentId('creator')
const worker = agentId('worker')
const stranger = agentId('stranger')
const id = taskId('1')

const STATES = Object.keys(TRANSITIONS) as TaskState[]

const withTask = (to: typeof worker | null = worker): Y.Doc => {
  const doc = replica(1)
  for (const id of [creator, worker, stranger]) {
    registerAgent(doc, { id, name: id, capabilities: [], machine: '', description: '', now: 1 })
  }
  addTask(doc, {
    id,
    description: 'x',
    context: null,
    priority: 'normal',
    from: creator,
    to,
    now: 1,
  })
  return doc
}

let keys = 0
const move = (doc: Y.Doc, state: TaskState, by = worker, more: Partial<Command> = {}) =>
  moveTask(doc, { task: id, by, state, message: '', key: `k${keys++}`, now: 2, ...more })

/** How the worker's task gets into each state. */
const WAYS: Record<TaskState, [TaskState, typeof worker][]> = {
  submitted: [],
  working: [['working', worker]],
  'input-required': [['input-required', worker]],
  completed: [['completed', worker]],
  failed: [['failed', worker]],
  canceled: [['canceled', creator]],
  rejected: [['rejected', worker]],
}

const inState = (state: TaskState): Y.Doc => {
  const doc = withTask()
  for (const [next, by] of WAYS[state]) move(doc, next, by)
  return doc
}

/** Who has a role in a task that was given to the worker. */
const WHO: Record<Role, typeof worker> = { creator, addressee: worker, owner: worker }

const CASES = STATES.flatMap((from) =>
  STATES.flatMap((to) =>
    [creator, worker, stranger].map((by) => {
      const roles = TRANSITIONS[from][to]
      return { from, to, by, allowed: roles?.some((role) => WHO[role] === by) === true }
    }),
  ),
)

describe('moveTask', () => {
  it.each(CASES)('[T2] $from → $to by $by: $allowed', ({ from, to, by, allowed }) => {
    const doc = inState(from)
    const before = tasksOf(doc).toJSON()
    if (allowed) {
      expect(move(doc, to, by)).toMatchObject({ status: to, revision: WAYS[from].length + 1 })
      expect(taskHistory(doc, id).at(-1)).toMatchObject({ state: to, by })
    } else {
      const codes = isTerminal(from)
        ? ['task_terminal']
        : ['task_state', 'not_allowed', ...(from === 'submitted' ? [] : ['task_taken'])]
      expect(codes).toContain(codeOf(() => move(doc, to, by)))
      expect(tasksOf(doc).toJSON()).toEqual(before)
    }
  })

  it('[T3] has the four final states of A2A', () => {
    expect(STATES.filter(isTerminal)).toEqual(['completed', 'failed', 'canceled', 'rejected'])
  })

  it('[T1] gives a task for anyone to the first who takes it', () => {
    const doc = withTask(null)
    expect(move(doc, 'working', stranger)).toMatchObject({ owner: stranger })
    expect(codeOf(() => move(doc, 'working', worker))).toBe('task_taken')
    expect(codeOf(() => move(doc, 'completed', worker))).toBe('task_taken')
    expect(move(doc, 'completed', stranger)).toMatchObject({ owner: stranger, revision: 2 })
  })

  it('[T4] answers the same key again with the first outcome, and writes nothing', () => {
    const doc = withTask()
    const first = move(doc, 'working', worker, { key: 'k', message: 'on it' })
    move(doc, 'completed', worker)
    const again = move(doc, 'working', worker, { key: 'k', message: 'on it', now: 99 })
    expect(again).toEqual(first)
    expect(taskHistory(doc, id).length).toBe(2)
  })

  it('[T4] refuses a key that was used for something else', () => {
    const doc = withTask()
    move(doc, 'working', worker, { key: 'k' })
    expect(codeOf(() => move(doc, 'completed', worker, { key: 'k' }))).toBe('key_reused')
    expect(codeOf(() => move(doc, 'working', worker, { key: 'k', message: 'm' }))).toBe(
      'key_reused',
    )
    // Another agent's equal key is another key.
    expect(move(doc, 'canceled', creator, { key: 'k' })).toMatchObject({ status: 'canceled' })
  })

  it('[T2] lets an answer go to the creator only', () => {
    const doc = withTask()
    expect(codeOf(() => move(doc, 'completed', worker, { to: stranger }))).toBe('not_allowed')
    expect(codeOf(() => move(doc, 'completed', worker, { to: 'nobody' }))).toBe('unknown_agent')
    expect(move(doc, 'completed', worker, { to: creator })).toMatchObject({ status: 'completed' })
  })

  it('knows no task that is not there, and takes no result over the limit', () => {
    const doc = withTask()
    expect(codeOf(() => move(doc, 'working', worker, { task: 't-2' }))).toBe('unknown_task')
    const message = 'x'.repeat(MAX_RESULT_BYTES + 1)
    expect(codeOf(() => move(doc, 'completed', worker, { message }))).toBe('too_large')
  })
})

describe('addTask', () => {
  it('is as it was given, submitted', () => {
    expect(getTask(withTask(), id)).toMatchObject({
      task_id: id,
      message_id: id,
      status: 'submitted',
      owner: null,
      revision: 0,
      created_at: '1970-01-01T00:00:00.001Z',
      updated_at: '1970-01-01T00:00:00.001Z',
    })
  })

  it.each([
    { description: 'x'.repeat(MAX_MESSAGE_BYTES + 1) },
    { context: 'x'.repeat(MAX_CONTEXT_BYTES) },
  ])('refuses what is over a limit', (large) => {
    const doc = replica(1)
    const task = { id, description: '', context: null, priority: 'low', from: creator } as const
    expect(codeOf(() => addTask(doc, { ...task, to: null, now: 1, ...large }))).toBe('too_large')
    expect(listTasks(doc)).toEqual([])
  })

  it('lists oldest first, then by id', () => {
    const doc = replica(1)
    for (const [name, now] of [
      ['b', 2],
      ['c', 1],
      ['a', 2],
    ] as const) {
      const task = { description: '', context: null, priority: 'low', from: creator } as const
      addTask(doc, { id: taskId(name), ...task, to: null, now })
    }
    expect(listTasks(doc).map(({ task_id }) => task_id)).toEqual(['t-c', 't-a', 't-b'])
  })
})

describe('task states as words', () => {
  it.each([
    ['in_progress', 'working'],
    ['in-progress', 'working'],
    [' Completed ', 'completed'],
    ['input_required', 'input-required'],
    ['canceled', 'canceled'],
  ])('reads %s', (text, state) => expect(parseState(text)).toBe(state))

  it.each(['', 'done', 'toString', '__proto__'])('refuses %j', (text) =>
    expect(codeOf(() => parseState(text))).toBe('bad_status'),
  )

  it('prints working as 1.x did', () => {
    expect(STATES.map(state1x)).toEqual(STATES.map((s) => (s === 'working' ? 'in_progress' : s)))
  })
})
