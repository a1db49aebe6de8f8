import { describe, expect, it } from 'vitest'
import type { TaskId } from '../../../../protocol/ids.ts'
import { submissionsOf } from '../../../../workspace/document/schema.ts'
import type { ArchivedTask } from '../../../../workspace/tasks/task-archive.ts'
import { CANCEL_GRACE_MS } from '../../../../workspace/tasks/task-commands.ts'
import { getTask, taskHistory } from '../../../../workspace/tasks/tasks.ts'
import { codeOf, settle, settlerOf, taskId, worldAt } from '../../../support/workspace/replicas.ts'
import * as at from '../../../support/workspace/task-world.ts'

const { approver, creator, id, offered, other, worker } = at
const LEASE = 600_000
const plain = {
  ...{ description: '', context: null, priority: 'low', from: creator, to: worker },
  createdAt: 1,
}

describe('leases', () => {
  it('[TASK-7] a task comes back one lease after its owner was last seen, and its token grows', () => {
    const doc = at.team()
    at.give(doc)
    at.claim(doc, at.by(worker))
    const seen = (now: number, lastSeen: number) => {
      settlerOf(doc).touch(worker)
      return settle(doc, worldAt(now, { lastSeen: () => lastSeen }))
    }
    expect(seen(LEASE * 5, LEASE * 5).next).toBe(LEASE * 6)
    expect(seen(LEASE * 6 - 1, LEASE * 5).next).toBe(LEASE * 6)
    expect(getTask(doc, id)).toMatchObject({ status: 'working', owner: worker, token: 1 })
    seen(LEASE * 6, LEASE * 5)
    expect(getTask(doc, id)).toMatchObject({ status: 'submitted', owner: null, token: 1 })
    expect(taskHistory(doc, id).at(-1)).toMatchObject({
      ...{ by: 'server', event: 'lease-lost', was: worker },
      message: 'the lease of a-worker (a-worker) ended: attempt 1 of 3 without a result',
    })
    expect(offered(doc)).toEqual([worker, worker])
    expect(at.claim(doc, at.by(worker)).token).toBe(2)
  })

  it('[TASK-6] work under a lease that is over is refused, and kept as a note, once', () => {
    const doc = at.team()
    at.give(doc, { to: null })
    at.claim(doc, at.by(worker))
    settle(doc, worldAt(LEASE * 2, { lastSeen: () => 0 }))
    const late = at.by(worker, 'what I found', LEASE * 2)
    for (let again = 0; again < 2; again++) {
      expect(codeOf(() => at.to(doc, 'completed', worker, 'x'.repeat(0)))).toBe('lease_lost')
    }
    const say = () => at.toWith(doc, { ...late, state: 'completed' })
    expect(say).toThrow(
      'your lease on t-1 has ended, and it is offered again; what you said is kept as a note',
    )
    expect(say).toThrow()
    expect(getTask(doc, id).notes).toMatchObject([{ by: worker, text: 'what I found' }])
    at.claim(doc, at.by(other, '', LEASE * 2))
    expect(() => at.toWith(doc, { ...at.by(worker, 'more'), state: 'completed' })).toThrow(
      'a-other has it now',
    )
    expect(getTask(doc, id)).toMatchObject({ owner: other, token: 2, status: 'working' })
    expect(at.to(doc, 'completed', other)).toMatchObject({ status: 'completed' })
  })

  it('[TASK-6] work that comes when another, or time, has ended the task is a note, too', () => {
    const kept = 'a finished task stays as it is; what you said is kept as a note'
    const doc = at.team()
    at.give(doc, { to: null })
    at.claim(doc, at.by(worker))
    settle(doc, worldAt(LEASE * 2, { lastSeen: () => 0 }))
    at.claim(doc, at.by(other, '', LEASE * 2))
    at.toWith(doc, { ...at.by(other, 'first', LEASE * 2), state: 'completed' })
    const late = { ...at.by(worker, 'mine', LEASE * 2), state: 'completed' } as const
    for (let i = 0; i < 2; i++) expect(() => at.toWith(doc, late)).toThrow(`t-1 completed; ${kept}`)
    expect(getTask(doc, id)).toMatchObject({
      ...{ status: 'completed', message: 'first' },
      notes: [{ by: worker, text: 'mine' }],
    })
    // Its owner, who is done, has nothing to add that way.
    const more = { ...at.by(other, 'more', LEASE * 2), state: 'completed' } as const
    expect(() => at.toWith(doc, more)).toThrow(/a finished task stays as it is$/)

    const timed = at.team()
    at.give(timed, { deadline: 1_000 })
    at.claim(timed, at.by(worker))
    settle(timed, worldAt(1_000))
    const overdue = { ...at.by(worker, 'almost', 1_000), state: 'completed' } as const
    expect(() => at.toWith(timed, overdue)).toThrow(`t-1 failed; ${kept}`)
    expect(getTask(timed, id).notes).toMatchObject([{ text: 'almost' }])
  })

  it('[TASK-6] a stale token is refused although its sender owns the task again', () => {
    const doc = at.team()
    at.give(doc)
    at.claim(doc, at.by(worker))
    at.release(doc, at.by(worker))
    at.claim(doc, at.by(worker))
    const stale = { ...at.by(worker, 'old'), state: 'completed', token: 1 } as const
    expect(codeOf(() => at.toWith(doc, stale))).toBe('lease_lost')
    expect(at.toWith(doc, { ...at.by(worker), state: 'completed', token: 2 }).status).toBe(
      'completed',
    )
  })

  it('[TASK-7] after its last attempt it fails, whether given back or lost', () => {
    const doc = at.team()
    at.give(doc, { maxAttempts: 2 })
    at.claim(doc, at.by(worker))
    at.release(doc, at.by(worker, 'cannot'))
    at.claim(doc, at.by(worker))
    settle(doc, worldAt(LEASE * 2, { lastSeen: () => 0 }))
    expect(getTask(doc, id)).toMatchObject({
      status: 'failed',
      message: 'the lease of a-worker (a-worker) ended: attempt 2 of 2 without a result',
    })
    const given = at.team()
    at.give(given, { maxAttempts: 1 })
    at.claim(given, at.by(worker))
    expect(at.release(given, at.by(worker)).status).toBe('submitted')
    expect(getTask(given, id)).toMatchObject({
      status: 'failed',
      message: 'it was given back or lost 1 times',
    })
  })
})

describe('time and other tasks', () => {
  it('[TASK-11] fails at its deadline, whatever its state', () => {
    for (const state of ['submitted', 'working', 'input-required'] as const) {
      const doc = at.team()
      at.give(doc, { deadline: 1_000 })
      if (state !== 'submitted') at.to(doc, state, worker)
      expect(settle(doc, worldAt(999)).next).toBe(1_000)
      settle(doc, worldAt(1_000))
      expect(getTask(doc, id)).toMatchObject({
        status: 'failed',
        message: 'its deadline, 1970-01-01T00:00:01.000Z, has passed',
      })
    }
  })

  it('[TASK-12] waits for what it comes after, and is offered then', () => {
    const doc = at.team()
    at.give(doc)
    at.give(doc, { id: taskId('2'), after: [id] })
    expect(getTask(doc, 't-2')).toMatchObject({ blocked_by: [id] })
    expect(offered(doc, taskId('2'))).toEqual([])
    expect(() => at.claim(doc, at.by(worker, '', 2, 't-2'))).toThrow('t-2 waits for t-1')
    at.to(doc, 'completed', worker)
    expect(getTask(doc, 't-2').blocked_by).toBeUndefined()
    expect(offered(doc, taskId('2'))).toEqual([worker])
  })

  it('[TASK-12] fails with what it comes after, down the line, or goes ahead', () => {
    const doc = at.team()
    at.give(doc)
    at.give(doc, { id: taskId('2'), after: [id] })
    at.give(doc, { id: taskId('3'), after: [taskId('2')] })
    at.give(doc, { id: taskId('4'), after: [id], afterFailed: 'run' })
    at.to(doc, 'failed', worker)
    expect(getTask(doc, 't-2')).toMatchObject({
      status: 'failed',
      message: 't-1, for which it waits, is failed',
    })
    expect(getTask(doc, 't-3').status).toBe('failed')
    expect(offered(doc, taskId('4'))).toEqual([worker])
  })

  it('[TASK-12] circles and tasks that are not there fail what waits for them', () => {
    const doc = at.team()
    const circle = (a: string, b: string) =>
      submissionsOf(doc).push([
        { kind: 'task', id: taskId(a), facts: { ...plain, after: [taskId(b)] } },
      ] as never)
    circle('a', 'b')
    circle('b', 'a')
    circle('c', 'none')
    const { unknown } = settle(doc)
    expect([...unknown]).toEqual(['t-none'])
    const archived = new Map<TaskId, ArchivedTask | null>([[taskId('none'), null]])
    settle(doc, worldAt(1, { archived }))
    const message = (name: string) => getTask(doc, `t-${name}`).message
    expect(message('a')).toBe('t-b, for which it waits, is failed')
    expect(message('b')).toBe('it waits for itself: t-b → t-a → t-b')
    expect(message('c')).toBe('it waits for t-none, which is not there')
  })

  it('[TASK-12] lets go of what was looked at before that ended', () => {
    const doc = at.team()
    at.give(doc, { deadline: 1_000 })
    at.give(doc, { id: taskId('2'), after: [id], deadline: 1_000_000 })
    at.give(doc, { id: taskId('3'), after: [taskId('2')] })
    // Both are looked at in one go, the one that waits first.
    settlerOf(doc).touchOpen()
    at.learn(doc, other, ['x'])
    settle(doc, worldAt(1_000))
    expect(getTask(doc, 't-2')).toMatchObject({ status: 'failed' })
    expect(getTask(doc, 't-3')).toMatchObject({ status: 'failed' })
  })

  it('[TASK-13] who gives it back instead of stopping does not make others begin with it', () => {
    const doc = at.team()
    at.give(doc, { to: null })
    at.claim(doc, at.by(worker))
    at.cancel(doc, at.by(creator, 'moot'))
    at.release(doc, at.by(worker))
    expect(getTask(doc, id)).toMatchObject({ status: 'canceled', message: 'moot' })
  })

  it('[TASK-12] a long line of tasks is settled in a time by its length', () => {
    const doc = at.team()
    const count = 5_000
    for (let i = 0; i < count; i++) {
      const after = i === 0 ? [] : [taskId(`${i - 1}`)]
      submissionsOf(doc).push([
        { kind: 'task', id: taskId(`${i}`), facts: { ...plain, after } },
      ] as never)
    }
    settle(doc)
    expect(offered(doc, taskId('0'))).toEqual([worker])
    at.toWith(doc, { ...at.by(worker, '', 2, 't-0'), state: 'failed' })
    expect(getTask(doc, `t-${count - 1}`).status).toBe('failed')
  }, 20_000)

  it('[TASK-13] who is asked to stop has a minute, or none', () => {
    const doc = at.team()
    at.give(doc)
    at.claim(doc, at.by(worker))
    const asked = at.cancel(doc, at.by(creator, 'moot'))
    expect(asked).toMatchObject({ status: 'working', cancel_asked: 'moot' })
    expect(at.cancel(doc, at.by(creator, 'moot'))).toEqual(asked)
    expect(at.to(doc, 'working', worker, 'stopping')).toMatchObject({ cancel_asked: 'moot' })
    settle(doc, worldAt(2 + CANCEL_GRACE_MS - 1))
    expect(getTask(doc, id).status).toBe('working')
    settle(doc, worldAt(2 + CANCEL_GRACE_MS))
    expect(getTask(doc, id)).toMatchObject({ status: 'canceled', message: 'moot' })

    const forced = at.team()
    at.give(forced)
    at.claim(forced, at.by(worker))
    const now = { ...at.by(creator, 'now'), force: true }
    expect(at.cancel(forced, now)).toMatchObject({ status: 'canceled' })
    const ended = at.team()
    at.give(ended)
    at.claim(ended, at.by(worker))
    at.cancel(ended, at.by(creator))
    expect(at.to(ended, 'completed', worker, 'was done already')).toMatchObject({
      status: 'completed',
    })
  })

  it('[TASK-14] a result waits for its approver, who is not its author', () => {
    const doc = at.team()
    at.give(doc, { to: null, approver })
    expect(offered(doc)).not.toContain(approver)
    expect(() => at.claim(doc, at.by(approver))).toThrow('you approve t-1')
    expect(codeOf(() => at.approve(doc, at.by(approver)))).toBe('task_state')
    const result = { json: { n: 1 } }
    const done = { ...at.by(worker, 'done'), state: 'completed', result } as const
    expect(at.toWith(doc, done)).toMatchObject({ status: 'input-required', awaits_approval: true })
    for (const agent of [worker, creator, other]) {
      expect(codeOf(() => at.approve(doc, at.by(agent)))).toBe('not_allowed')
    }
    // Nobody's lease runs while it waits for somebody else.
    settle(doc, worldAt(LEASE * 9, { lastSeen: () => 0 }))
    const sentBack = at.by(approver, 'no sources', LEASE * 9)
    expect(at.decline(doc, sentBack)).toMatchObject({
      ...{ status: 'working', owner: worker, message: 'no sources' },
    })
    at.toWith(doc, { ...at.by(worker, 'with sources', LEASE * 9), state: 'completed', result })
    const approved = at.by(approver, '', LEASE * 9)
    expect(at.approve(doc, approved)).toMatchObject({
      ...{ status: 'completed', owner: worker, message: 'with sources', result_json: { n: 1 } },
    })
    expect(at.approve(doc, approved).status).toBe('completed')
    // [TASK-4] Sent back once, however often the command comes.
    expect(at.decline(doc, sentBack)).toMatchObject({ status: 'working', message: 'no sources' })
    expect(getTask(doc, id).status).toBe('completed')
  })
})
