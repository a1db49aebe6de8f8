import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type * as Y from 'yjs'
import type { ClawError } from '../../../protocol/errors.ts'
import type { AgentId } from '../../../protocol/ids.ts'
import { type TaskState, tasksOf } from '../../../workspace/document/schema.ts'
import {
  CONDITIONS,
  isTerminal,
  type TaskRole,
  TRANSITIONS,
} from '../../../workspace/tasks/task-states.ts'
import { getTask } from '../../../workspace/tasks/tasks.ts'
import { root } from '../../support/server.ts'
import * as at from '../../support/workspace/task-world.ts'

const { approver, creator, id, other, worker } = at
const STATES = Object.keys(TRANSITIONS) as TaskState[]

/** How a task that was given to the worker gets into each state. */
const WAYS: Record<TaskState, [TaskState, AgentId][]> = {
  submitted: [],
  working: [['working', worker]],
  'input-required': [['input-required', worker]],
  completed: [['completed', worker]],
  failed: [['failed', worker]],
  canceled: [['canceled', creator]],
  rejected: [['rejected', worker]],
}

const inState = (state: TaskState): Y.Doc => {
  const doc = at.team()
  at.give(doc)
  for (const [next, agent] of WAYS[state]) at.to(doc, next, agent)
  return doc
}

const WHO: Record<TaskRole, AgentId> = {
  creator,
  addressee: worker,
  owner: worker,
  approver,
  server: 'server' as AgentId,
}

/** What a plain move does not do although the table has it, as something else must be so: shown by tests below. */
const NOT_BY_MOVE = ['working working creator', 'working canceled owner']
const roleOf = (from: TaskState, agent: AgentId): TaskRole | null => {
  if (agent === creator) return 'creator'
  if (agent === worker) return from === 'submitted' ? 'addressee' : 'owner'
  return null
}

const CASES = STATES.flatMap((from) =>
  STATES.flatMap((to) =>
    [creator, worker, approver, other].flatMap((agent) => {
      const role = roleOf(from, agent)
      const has = role !== null && TRANSITIONS[from][to]?.includes(role) === true
      const allowed = has && !NOT_BY_MOVE.includes(`${from} ${to} ${role}`)
      // Declining what was given to one ends it: below.
      const isDecline = role === 'addressee' && to === 'submitted'
      return isDecline ? [] : [{ from, to, agent, role, allowed }]
    }),
  ),
)

const refusal = (call: () => unknown): ClawError => {
  try {
    call()
  } catch (error) {
    return error as ClawError
  }
  throw new Error('it was allowed')
}

describe('the table', () => {
  it.each(CASES)(
    '[TASK-2] $from → $to by $agent ($role): $allowed',
    ({ from, to, agent, role, allowed }) => {
      const doc = inState(from)
      const before = tasksOf(doc).toJSON()
      if (allowed) {
        const asked = from === 'working' && to === 'canceled' && role === 'creator'
        expect(at.to(doc, to, agent)).toMatchObject({ status: asked ? 'working' : to })
        return
      }
      const error = refusal(() => at.to(doc, to, agent))
      if (isTerminal(from)) {
        // [TASK-3] A finished task stays as it is.
        expect(error).toMatchObject({
          code: 'task_terminal',
          message: expect.stringMatching(/^t-1 (was )?\w+; a finished task stays as it is$/),
          hint: 'delegate a new task that refers to it: --ref t-1',
        })
      } else {
        // Every refusal names the task and the state it is in, or who alone may do this.
        expect(['task_state', 'not_allowed', 'task_taken']).toContain(error.code)
        expect(error.message).toMatch(/^.*t-1.*$/)
        if (error.code === 'task_state') {
          expect(error.message).toBe(`t-1 is ${from}; it cannot become ${to}`)
          expect(error.hint).toBe(`possible now: ${Object.keys(TRANSITIONS[from]).join(', ')}`)
        }
        if (error.code === 'not_allowed' && !NOT_BY_MOVE.includes(`${from} ${to} ${role}`)) {
          expect(error.message).toMatch(
            /^you cannot (claim|answer|decline|release|cancel) t-1: (it was given to )?a-\w+ \(a-\w+\)( has it| gave it)?$/,
          )
        }
      }
      expect(tasksOf(doc).toJSON()).toEqual(before)
    },
  )

  it('has a state for every role to move to or from, and a condition only for what is in it', () => {
    for (const { from, to, role } of CONDITIONS) {
      expect(TRANSITIONS[from as TaskState][to as TaskState], `${from} ${to}`).toContain(role)
    }
    const roles = new Set(STATES.flatMap((from) => Object.values(TRANSITIONS[from]).flat()))
    expect([...roles].sort()).toEqual(Object.keys(WHO).sort())
  })

  it('stands in docs/tasks.md as it is', () => {
    const rows = STATES.flatMap((from) =>
      (Object.entries(TRANSITIONS[from]) as [TaskState, readonly TaskRole[]][]).map(([to, who]) => {
        const said = who.map((role) => {
          const when = CONDITIONS.find((c) => c.from === from && c.to === to && c.role === role)
          return when === undefined ? role : `${role} (${when.when})`
        })
        return `| ${from} | ${to} | ${said.join('; ')} |`
      }),
    )
    const page = readFileSync(join(root, 'docs/tasks.md'), 'utf8')
    expect(page).toContain(`| from | to | who may |\n|---|---|---|\n${rows.join('\n')}\n\n`)
  })
})

describe('what has conditions', () => {
  it('[TASK-2] an addressee declines: what was given to it alone ends, others are asked to take the rest', () => {
    const doc = inState('submitted')
    expect(at.to(doc, 'submitted', worker, 'no time')).toMatchObject({
      status: 'rejected',
      message: 'no time',
    })
    const open = at.team()
    at.give(open, { to: null })
    expect(at.to(open, 'rejected', worker, 'no time')).toMatchObject({
      status: 'submitted',
      owner: null,
    })
  })

  it('[TASK-2] an owner gives back, tells progress, and stops only when it was asked to', () => {
    const doc = inState('working')
    expect(refusal(() => at.to(doc, 'canceled', worker))).toMatchObject({
      code: 'not_allowed',
      message: 'nobody asked you to stop t-1',
      hint: 'to give it back: release; to end it: respond --status failed',
    })
    expect(at.to(doc, 'working', worker, 'half')).toMatchObject({ message: 'half', revision: 2 })
    at.cancel(doc, at.by(creator, 'moot'))
    expect(at.to(doc, 'canceled', worker, 'stopped')).toMatchObject({ status: 'canceled' })
    for (const state of ['working', 'input-required'] as const) {
      const back = inState(state)
      expect(at.release(back, at.by(worker, 'needs a Mac'))).toMatchObject({
        status: 'submitted',
        owner: null,
      })
    }
  })

  it('[TASK-2] a creator does not tell progress, and answers only what was asked', () => {
    const doc = inState('working')
    expect(refusal(() => at.to(doc, 'working', creator))).toMatchObject({
      code: 'not_allowed',
      message: 'only the owner of t-1 can report progress',
      hint: 'to ask it to stop: cancel; to tell it something: note',
    })
    at.to(doc, 'input-required', worker, 'which?')
    expect(at.to(doc, 'working', creator, 'the left one')).toMatchObject({
      status: 'working',
      owner: worker,
      message: 'the left one',
    })
  })

  it('[TASK-2] another who may take it is told whose it is', () => {
    const doc = at.team()
    at.give(doc, { to: null })
    at.claim(doc, at.by(worker))
    for (const agent of [other, creator]) {
      expect(refusal(() => at.claim(doc, at.by(agent)))).toMatchObject({
        code: 'task_taken',
        message: 't-1 is working and belongs to a-worker',
        hint: 'leave it to its owner and take another task',
      })
    }
  })

  it('[TASK-2] who lacks what it requires is told what', () => {
    const doc = at.team({ [worker]: ['web'] })
    at.give(doc, { to: null, requires: ['web', 'pdf'] })
    expect(refusal(() => at.claim(doc, at.by(worker)))).toMatchObject({
      code: 'not_allowed',
      message: 'you cannot claim t-1: it requires pdf',
    })
  })

  it('[TASK-2] what nobody has cannot be given back, and what is one’s own not declined', () => {
    const doc = inState('submitted')
    expect(refusal(() => at.release(doc, at.by(worker)))).toMatchObject({
      code: 'task_state',
      message: 'nobody has claimed t-1, so there is nothing to release',
      hint: 'to refuse it: decline',
    })
    at.claim(doc, at.by(worker))
    expect(refusal(() => at.decline(doc, at.by(worker)))).toMatchObject({
      code: 'task_state',
      message: 'you own t-1',
      hint: 'to give it back: release',
    })
    expect(getTask(doc, id).status).toBe('working')
  })
})
