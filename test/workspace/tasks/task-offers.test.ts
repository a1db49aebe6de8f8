import { expect, it } from 'vitest'
import * as Y from 'yjs'
import type { AgentId, TaskId } from '../../../protocol/ids.ts'
import { registerAgent } from '../../../workspace/agents/agents.ts'
import { changeTask, type RequestedChange } from '../../../workspace/tasks/task-change.ts'
import { moveTask } from '../../../workspace/tasks/task-commands.ts'
import { offersFor, type TaskOffer, waitOf } from '../../../workspace/tasks/task-offers.ts'
import { addTask, getTask, listTasks } from '../../../workspace/tasks/tasks.ts'
import { agentId, settle, taskId, worldAt } from '../../support/workspace/replicas.ts'

const NOW = Date.UTC(2026, 10, 25, 12, 0, 0)
const [ANN, BOB, CAT] = ['ann', 'bob', 'cat'].map(agentId) as [AgentId, AgentId, AgentId]
const CAPS: Readonly<Record<string, readonly string[]>> = { [ANN]: [], [BOB]: ['build'], [CAT]: [] }

/** Tasks of each kind in each state. */
const world = (): Y.Doc => {
  const doc = new Y.Doc()
  doc.clientID = 7
  for (const id of [ANN, BOB, CAT]) {
    const [name, capabilities] = [String(id), [...CAPS[id]!]]
    registerAgent(doc, { id, name, capabilities, machine: '', description: '', now: NOW })
  }
  const add = (name: string, more: object) =>
    addTask(doc, {
      ...{ id: taskId(name), from: ANN, to: BOB, context: null, description: name },
      ...{ priority: 'normal' as const, now: NOW, ...more },
    })
  const states = ['new', 'working', 'asks', 'done', 'failed'] as const
  for (const state of states) {
    add(state, {})
    add(`${state}-approved`, { approver: CAT })
    add(`${state}-anyone`, { to: null })
    add(`${state}-caps`, { to: null, requires: ['build'] })
  }
  add('blocked', { after: [taskId('new')] })
  settle(doc, worldAt(NOW))
  const steps = { new: [], working: ['working'], asks: ['working', 'input-required'] } as const
  const ends = { done: ['working', 'completed'], failed: ['working', 'failed'] } as const
  for (const [state, moves] of Object.entries({ ...steps, ...ends })) {
    for (const kind of ['', '-approved', '-anyone', '-caps']) {
      for (const [i, to] of moves.entries()) {
        const task = taskId(`${state}${kind}`)
        moveTask(doc, { task, by: BOB, state: to, message: 'm', key: `k${i}`, now: NOW + i })
      }
    }
  }
  return doc
}

const COMMANDS: Readonly<Record<TaskOffer, RequestedChange>> = {
  claim: { name: 'claim', message: '' },
  respond: { name: 'status', state: 'failed', message: 'r' },
  answer: { name: 'status', state: 'working', message: 'a' },
  approve: { name: 'approve', message: '' },
  decline: { name: 'decline', message: 'no' },
  cancel: { name: 'cancel', message: '' },
  release: { name: 'release', message: '' },
}

it('[TASK-31] what is offered for a task is what the rules accept, for each agent in each state', () => {
  const doc = world()
  const whole = Y.encodeStateAsUpdate(doc)
  const accepts = (task: TaskId, by: AgentId, change: RequestedChange): boolean => {
    const copy = new Y.Doc()
    Y.applyUpdate(copy, whole)
    try {
      return (
        changeTask(copy, { ...change, task, by, key: 'new', now: NOW + 99 }).refused === undefined
      )
    } catch {
      return false
    }
  }
  let offered = 0
  for (const task of listTasks(doc)) {
    for (const me of [ANN, BOB, CAT]) {
      const offers = offersFor(task, me, CAPS[me]!)
      for (const [name, change] of Object.entries(COMMANDS) as [TaskOffer, RequestedChange][]) {
        // An owner may say again what it said; what the server takes as an answer of the owner is offered as `respond`.
        const isSaidAgain = task.owner === me && (name === 'claim' || name === 'answer')
        if (isSaidAgain || (name === 'answer' && offers.has('respond'))) continue
        if (name === 'answer' && task.awaits_approval) continue
        const why = `${name} ${task.task_id} (${task.status}) by ${me}`
        expect(accepts(task.task_id, me, change), why).toBe(offers.has(name))
        if (offers.has(name)) offered++
      }
    }
  }
  expect(offered).toBeGreaterThan(25)
  expect(offersFor(getTask(doc, taskId('new')), null, [])).toEqual(new Set())
})

it('[TASK-32] a task waits for whoever is asked, has to approve, or may claim it', () => {
  const doc = world()
  const wait = (name: string, me: AgentId) => waitOf(getTask(doc, taskId(name)), me, CAPS[me]!)
  expect(wait('asks', ANN)).toBe('answer')
  expect(wait('asks', CAT)).toBe(null)
  expect(wait('done-approved', CAT)).toBe('approval')
  expect(wait('done-approved', ANN)).toBe(null)
  expect(wait('new', BOB)).toBe('claim')
  expect(wait('new-anyone', CAT)).toBe('open')
  expect(wait('new-anyone', ANN)).toBe(null)
  expect(wait('new-caps', BOB)).toBe('open')
  expect(wait('new-caps', CAT)).toBe(null)
  expect(wait('blocked', BOB)).toBe(null)
  expect(wait('failed', BOB)).toBe(null)
})
