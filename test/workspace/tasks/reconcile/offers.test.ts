import { describe, expect, it } from 'vitest'
import type * as Y from 'yjs'
import type { AgentId, TaskId } from '../../../../protocol/ids.ts'
import type { Here } from '../../../../workspace/agents/agents.ts'
import { claimNext } from '../../../../workspace/tasks/task-next.ts'
import { getTask } from '../../../../workspace/tasks/tasks.ts'
import { codeOf, settle, settlerOf, taskId, worldAt } from '../../../support/workspace/replicas.ts'
import * as at from '../../../support/workspace/task-world.ts'

const { approver, id, offered, other, worker } = at
const OFFER = 60_000
const hereWith = (...present: AgentId[]): Here => ({ present: new Set(present), now: 1e9 })
const next = (doc: Y.Doc, agent: AgentId, caps?: string[]) =>
  claimNext(doc, settlerOf(doc).index, { by: agent, caps, key: `n${Math.random()}`, now: 2 })

describe('routing', () => {
  const caps = { [worker]: ['web'], [other]: ['web'], [approver]: ['web', 'pdf'] }

  it('[TASK-8] asks who is here before who is not, then who has less to do, then who did better', () => {
    const doc = at.team(caps)
    const give = (name: string, more = {}) =>
      at.give(doc, { id: taskId(name), to: null, requires: ['web'], ...more })
    at.give(doc, { id: taskId('load'), to: worker })
    at.claim(doc, at.by(worker, '', 2, 't-load'))
    at.give(doc, { id: taskId('bad'), to: other })
    at.toWith(doc, { ...at.by(other, '', 2, 't-bad'), state: 'failed' })
    const rank = (here: Here): AgentId[] => {
      give(`${here.present.size}`)
      const task = `t-${here.present.size}` as TaskId
      return offered(doc, task)
    }
    // Nobody is here: by load, then by record.
    expect(rank(hereWith())).toEqual([approver, other, worker])
    const world = worldAt(2, { here: hereWith(worker) })
    at.handIn(doc, { id: taskId('here'), to: null, requires: ['web'] })
    settle(doc, world)
    expect(offered(doc, taskId('here'))[0]).toBe(worker)
  })

  it('[TASK-8] [TASK-26] asks three at a time, and more when nobody takes it for a while', () => {
    const doc = at.team()
    at.more(doc, 10)
    at.give(doc, { to: null })
    expect(offered(doc)).toHaveLength(3)
    expect(settle(doc, worldAt(OFFER)).next).toBe(OFFER + 1)
    expect(offered(doc)).toHaveLength(3)
    settle(doc, worldAt(OFFER + 1))
    expect(offered(doc)).toHaveLength(6)
    at.claim(doc, at.by(worker, '', OFFER + 2))
    settle(doc, worldAt(OFFER * 9))
    expect(offered(doc)).toHaveLength(6)
  })

  it('[TASK-9] [TASK-22] who declines is followed by the next; when all have, it is rejected with their reasons', () => {
    const doc = at.team({ [worker]: ['web'], [other]: ['web'] })
    at.give(doc, { to: null, requires: ['web'] })
    expect(offered(doc).sort()).toEqual([other, worker])
    expect(at.decline(doc, at.by(worker, 'no network'))).toMatchObject({ status: 'submitted' })
    expect(codeOf(() => next(doc, worker))).toBe('nothing_to_claim')
    at.to(doc, 'rejected', other, 'busy')
    expect(getTask(doc, id)).toMatchObject({
      status: 'rejected',
      message: 'nobody is left who could take it (a-worker: no network; a-other: busy)',
    })
  })

  it('[TASK-9] [TASK-23] what the only one who could take it gives back stays open, and that one may take it again', () => {
    const doc = at.team({ [worker]: ['web'] })
    at.give(doc, { to: null, requires: ['web'] })
    at.claim(doc, at.by(worker))
    at.release(doc, at.by(worker, 'busy, later'))
    settle(doc, worldAt(OFFER * 9))
    expect(getTask(doc, id)).toMatchObject({ status: 'submitted', owner: null })
    at.claim(doc, at.by(worker, '', OFFER * 9))
    at.release(doc, at.by(worker, 'after all not'))
    at.decline(doc, at.by(worker, 'no'))
    settle(doc, worldAt(OFFER * 9))
    expect(getTask(doc, id)).toMatchObject({ status: 'rejected' })
  })

  it('[TASK-8] waits for somebody who can, and asks whoever comes', () => {
    const doc = at.team()
    at.give(doc, { to: null, requires: ['pdf'] })
    expect(offered(doc)).toEqual([])
    at.learn(doc, worker, ['pdf'])
    settlerOf(doc).touchOpen()
    settle(doc)
    expect(offered(doc)).toEqual([worker])
  })

  it('[TASK-10] next is the most urgent, of the same priority the oldest, that one can take', () => {
    const doc = at.team({ [worker]: ['web'] })
    const give = (name: string, more: object) =>
      at.give(doc, { id: taskId(name), to: null, ...more })
    give('low', { priority: 'low' })
    give('late', { priority: 'high', now: 9 })
    give('early', { priority: 'high', now: 8 })
    give('pdf', { priority: 'urgent', requires: ['pdf'] })
    give('web', { priority: 'normal', requires: ['web'] })
    give('given', { priority: 'urgent', to: other })
    expect(next(doc, worker, ['web']).task_id).toBe('t-web')
    for (const name of ['early', 'late', 'low']) {
      expect(next(doc, worker).task_id).toBe(`t-${name}`)
    }
    expect(() => next(doc, worker)).toThrow('you can take none of the 2 open tasks now')
    const command = { by: other, key: 'once', now: 3 }
    const first = claimNext(doc, settlerOf(doc).index, command)
    expect(claimNext(doc, settlerOf(doc).index, command)).toEqual(first)
  })
})
