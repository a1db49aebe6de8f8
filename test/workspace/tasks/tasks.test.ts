import { describe, expect, it } from 'vitest'
import type * as Y from 'yjs'
import {
  MAX_CONTEXT_BYTES,
  MAX_HISTORY,
  MAX_MESSAGE_BYTES,
  MAX_RESULT_BYTES,
} from '../../../protocol/limits.ts'
import { registerAgent } from '../../../workspace/agents/agents.ts'
import type { TaskState } from '../../../workspace/document/schema.ts'
import { tasksOf } from '../../../workspace/document/schema.ts'
import { claimTask, type Move } from '../../../workspace/tasks/task-commands.ts'
import {
  isTerminal,
  parseState,
  state1x,
  TRANSITIONS,
} from '../../../workspace/tasks/task-states.ts'
import {
  addTask,
  getTask,
  listTasks,
  type NewTask,
  taskHistory,
} from '../../../workspace/tasks/tasks.ts'
import {
  agentId,
  codeOf,
  move as moveAs,
  replica,
  settle,
  taskId,
} from '../../support/workspace/replicas.ts'

const creator = agentId('creator')
const worker = agentId('worker')
const stranger = agentId('stranger')
const id = taskId('1')

const STATES = Object.keys(TRANSITIONS) as TaskState[]

const withTask = (to: typeof worker | null = worker, more: Partial<NewTask> = {}): Y.Doc => {
  const doc = replica(1)
  for (const id of [creator, worker, stranger]) {
    registerAgent(doc, { id, name: id, capabilities: [], machine: '', description: '', now: 1 })
  }
  const task = { id, description: 'x', context: null, priority: 'normal', from: creator } as const
  addTask(doc, { ...task, to, now: 1, ...more })
  return doc
}

let keys = 0
const move = (doc: Y.Doc, state: TaskState, by = worker, more: Partial<Move> = {}) =>
  moveAs(doc, { task: id, by, state, message: '', key: `k${keys++}`, now: 2, ...more })

describe('moveTask', () => {
  it('[TASK-3] has the four final states of A2A', () => {
    expect(STATES.filter(isTerminal)).toEqual(['completed', 'failed', 'canceled', 'rejected'])
  })

  it('[TASK-3] a finished task stays as it is: nobody moves it, each is told that it has ended', () => {
    for (const final of STATES.filter(isTerminal)) {
      const doc = withTask()
      if (final === 'canceled') move(doc, 'canceled', creator)
      else move(doc, final)
      const before = taskHistory(doc, id)
      expect(getTask(doc, id).status).toBe(final)
      for (const state of STATES) {
        for (const by of [creator, worker, stranger]) {
          expect(
            codeOf(() => move(doc, state, by)),
            `${final} to ${state} by ${by}`,
          ).toBe('task_terminal')
        }
      }
      expect(taskHistory(doc, id)).toEqual(before)
    }
  })

  it('[TASK-1] gives a task for anyone to the first who takes it', () => {
    const doc = withTask(null)
    expect(move(doc, 'working', stranger)).toMatchObject({ owner: stranger, token: 1 })
    expect(codeOf(() => move(doc, 'working', worker))).toBe('task_taken')
    expect(codeOf(() => move(doc, 'completed', worker))).toBe('task_taken')
    expect(move(doc, 'completed', stranger)).toMatchObject({ owner: stranger, revision: 2 })
  })

  it('[TASK-1] nobody claims a task that has an owner, not even its creator', () => {
    const doc = withTask(null)
    const claim = (by: typeof worker) =>
      claimTask(doc, { task: id, by, message: '', key: `k${keys++}`, now: 2 })
    move(doc, 'working', stranger)
    for (const other of [worker, creator]) expect(codeOf(() => claim(other))).toBe('task_taken')
    expect(getTask(doc, id)).toMatchObject({ owner: stranger, token: 1 })
  })

  it('[TASK-4] answers the same key again with the first outcome, and writes nothing', () => {
    const doc = withTask()
    const first = move(doc, 'working', worker, { key: 'k', message: 'on it' })
    move(doc, 'completed', worker)
    const again = move(doc, 'working', worker, { key: 'k', message: 'on it', now: 99 })
    expect(again).toEqual(first)
    expect(taskHistory(doc, id).length).toBe(2)
  })

  it('[TASK-4] [TASK-24] refuses a key that was used for something else', () => {
    const doc = withTask()
    move(doc, 'working', worker, { key: 'k' })
    expect(codeOf(() => move(doc, 'completed', worker, { key: 'k' }))).toBe('key_reused')
    expect(codeOf(() => move(doc, 'working', worker, { key: 'k', message: 'm' }))).toBe(
      'key_reused',
    )
    // Another agent's equal key is another key.
    move(doc, 'completed', worker)
    expect(codeOf(() => move(doc, 'canceled', creator, { key: 'k' }))).toBe('task_terminal')
  })

  it('[TASK-2] lets an answer go to the creator only', () => {
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

  it('[TASK-18] progress told without end stays bounded, and what follows it is in the history', () => {
    const doc = withTask()
    for (let percent = 0; percent < MAX_HISTORY + 20; percent++) {
      move(doc, 'working', worker, { percent: percent % 100 })
    }
    expect(taskHistory(doc, id)).toHaveLength(MAX_HISTORY)
    expect(getTask(doc, id)).toMatchObject({ percent: (MAX_HISTORY + 19) % 100 })
    expect(move(doc, 'completed').percent).toBeUndefined()
    expect(taskHistory(doc, id).at(-1)).toMatchObject({ state: 'completed' })
  })

  it('[TASK-18] [TASK-30] a result may have JSON and shared files at their versions', () => {
    const doc = withTask()
    const result = { json: { n: [1] }, artifacts: [{ file_key: 'a.md' as never, version: 3 }] }
    expect(move(doc, 'completed', worker, { result })).toMatchObject({
      result_json: { n: [1] },
      artifacts: [{ file_key: 'a.md', version: 3 }],
    })
  })
})

describe('addTask', () => {
  it('is as it was given, submitted, from the moment it is handed in', () => {
    const doc = withTask()
    const expected = {
      task_id: id,
      message_id: id,
      status: 'submitted',
      owner: null,
      revision: 0,
      created_at: '1970-01-01T00:00:00.001Z',
      updated_at: '1970-01-01T00:00:00.001Z',
    }
    expect(getTask(doc, id)).toMatchObject(expected)
    expect(listTasks(doc)).toHaveLength(1)
    expect(tasksOf(doc).size).toBe(0)
    const before = getTask(doc, id)
    settle(doc)
    expect(getTask(doc, id)).toEqual(before)
    expect(listTasks(doc)).toHaveLength(1)
  })

  it.each([
    { description: 'x'.repeat(MAX_MESSAGE_BYTES + 1) },
    { context: 'x'.repeat(MAX_CONTEXT_BYTES) },
    { after: Array.from({ length: 65 }, (_, i) => taskId(`x${i}`)) },
    { requires: Array.from({ length: 65 }, (_, i) => `c${i}`) },
  ])('refuses what is over a limit', (large) => {
    const doc = replica(1)
    const task = { id, description: '', context: null, priority: 'low', from: creator } as const
    expect(codeOf(() => addTask(doc, { ...task, to: null, now: 1, ...large }))).toBe('too_large')
    expect(listTasks(doc)).toEqual([])
  })

  it('[TASK-12] [TASK-28] refuses what would wait for itself, naming the way', () => {
    const doc = withTask(worker, { after: [taskId('2')] })
    const task = { description: 'x', context: null, priority: 'low', from: creator } as const
    const add = () =>
      addTask(doc, { ...task, id: taskId('2'), to: null, now: 1, after: [taskId('1')] })
    expect(add).toThrow('the task waits for itself: t-2 → t-1 → t-2')
    expect(codeOf(add)).toBe('task_cycle')
  })

  it('lists oldest first, then by id', () => {
    const doc = replica(1)
    for (const [name, now] of [
      ['b', 2],
      ['c', 1],
      ['a', 2],
    ] as const) {
      const task = { description: 'x', context: null, priority: 'low', from: creator } as const
      addTask(doc, { id: taskId(name), ...task, to: null, now })
    }
    for (let filed = 0; filed < 2; filed++) {
      expect(listTasks(doc).map(({ task_id }) => task_id)).toEqual(['t-c', 't-a', 't-b'])
      settle(doc)
    }
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
