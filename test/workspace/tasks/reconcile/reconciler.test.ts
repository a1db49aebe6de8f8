import { describe, expect, it } from 'vitest'
import type * as Y from 'yjs'
import type { AgentId, TaskId } from '../../../../protocol/ids.ts'
import type { Here } from '../../../../workspace/agents/agents.ts'
import { entriesIn } from '../../../../workspace/document/buckets.ts'
import {
  archivedTasks,
  type Submission,
  submissionsOf,
  tasksOf,
} from '../../../../workspace/document/schema.ts'
import { taskRecord } from '../../../../workspace/document/shape.ts'
import { KEPT_ENDED_TASKS } from '../../../../workspace/tasks/reconcile/retention.ts'
import type { TaskWorld } from '../../../../workspace/tasks/reconcile/world.ts'
import { type ArchivedTask, readArchivedTask } from '../../../../workspace/tasks/task-archive.ts'
import { CANCEL_GRACE_MS, moveTask } from '../../../../workspace/tasks/task-commands.ts'
import { claimNext } from '../../../../workspace/tasks/task-next.ts'
import { offersOf } from '../../../../workspace/tasks/task-write.ts'
import { addNote, getTask, listTasks, taskHistory } from '../../../../workspace/tasks/tasks.ts'
import { codeOf, settle, settlerOf, taskId, worldAt } from '../../../support/workspace/replicas.ts'
import * as at from '../../../support/workspace/task-world.ts'

const { approver, creator, id, other, worker } = at
const LEASE = 600_000
const OFFER = 60_000

const hereWith = (...present: AgentId[]): Here => ({ present: new Set(present), now: 1e9 })
const offered = (doc: Y.Doc, task: TaskId = id): AgentId[] =>
  offersOf(taskRecord(doc, task)!).map(({ to }) => to)
const plain = {
  ...{ description: '', context: null, priority: 'low', from: creator, to: worker },
  createdAt: 1,
}
const next = (doc: Y.Doc, agent: AgentId, caps?: string[]) =>
  claimNext(doc, settlerOf(doc).index, { by: agent, caps, key: `n${Math.random()}`, now: 2 })

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

describe('filing and archiving', () => {
  it('[TASK-12] one settling files and looks at a bounded number of tasks, and the next ones go on', () => {
    const doc = at.team()
    settle(doc)
    const facts = { ...plain, to: null, requires: ['none'] }
    for (let i = 0; i < 1_000; i++) {
      submissionsOf(doc).push([{ kind: 'task', id: taskId(String(i)), facts } as Submission])
    }
    const left: number[] = []
    for (let more = true; more; ) {
      more = doc.transact(() => settlerOf(doc).reconcile(worldAt(1), () => {})).more
      left.push(submissionsOf(doc).length)
    }
    expect(left).toEqual([750, 500, 250, 0])
  })

  const keep = () => {
    const shelf = new Map<TaskId, ArchivedTask>()
    const archive = ({ value }: { value: Uint8Array }) => {
      const task = readArchivedTask(value)!
      shelf.set(task.id, task)
    }
    return { shelf, archive }
  }
  const later = (more: Partial<TaskWorld> = {}) =>
    worldAt(10_000, { archiveAfterMs: 5_000, ...more })

  it('[TASK-5] the same task handed in twice is one; settling again changes nothing', () => {
    const doc = at.team()
    at.give(doc)
    at.handIn(doc, { description: 'another' })
    settle(doc)
    expect(listTasks(doc)).toHaveLength(1)
    expect(getTask(doc, id).task).toBe('x')
    let updates = 0
    doc.on('update', () => updates++)
    for (let i = 0; i < 3; i++) settle(doc)
    expect(updates).toBe(0)
  })

  it('[TASK-5] an entry without the shape of one is removed, and those beside it are filed', () => {
    const doc = at.team()
    const shapeless: unknown[] = [
      null,
      1,
      'task',
      [],
      {},
      { kind: 'task' },
      { kind: 'note', task: 7 },
    ]
    submissionsOf(doc).push(shapeless as Submission[])
    at.handIn(doc)
    submissionsOf(doc).push([{ kind: 'receipt', id: 'x'.repeat(9_999) }] as unknown as Submission[])
    settle(doc)
    expect(submissionsOf(doc)).toHaveLength(0)
    expect(listTasks(doc)).toHaveLength(1)
  })

  it('[TASK-16] ended tasks leave the document, with all that became of them', () => {
    const doc = at.team()
    at.give(doc)
    addNote(doc, id, other, 'look here', 1)
    at.to(doc, 'completed', worker, 'done')
    const { shelf, archive } = keep()
    expect(settle(doc, worldAt(5_001, { archiveAfterMs: 5_000 }), archive).next).toBe(5_002)
    settle(doc, later(), archive)
    expect(listTasks(doc)).toEqual([])
    expect(shelf.get(id)).toMatchObject({
      status: { state: 'completed', message: 'done' },
      history: [{ value: { state: 'completed', by: worker } }],
      notes: [{ value: { text: 'look here' } }],
      offers: [{ value: { to: worker } }],
    })
  })

  it('[TASK-16] not while another waits for it; what comes after an archived one knows how that ended', () => {
    const doc = at.team()
    at.give(doc)
    at.give(doc, { id: taskId('0') })
    at.give(doc, { id: taskId('2'), after: [id, taskId('0')] })
    at.to(doc, 'completed', worker)
    const { shelf, archive } = keep()
    settle(doc, later(), archive)
    expect(shelf.size).toBe(0)
    at.toWith(doc, { ...at.by(worker, '', 2, 't-0'), state: 'completed' })
    at.toWith(doc, { ...at.by(worker, '', 2, 't-2'), state: 'completed' })
    settle(doc, later(), archive)
    expect(shelf.size).toBe(3)

    at.handIn(doc, { id: taskId('3'), after: [id] })
    // Whether the archive has it, too, is known.
    const world = later({ now: 11_000, archived: new Map([[taskId('3'), null]]) })
    expect([...settle(doc, world, archive).unknown]).toEqual([id])
    settle(doc, { ...world, archived: new Map([...world.archived, ...shelf]) }, archive)
    expect(offered(doc, taskId('3'))).toEqual([worker])
  })

  it('[TASK-16] a note on an archived task is kept with it', () => {
    const doc = at.team()
    at.give(doc)
    at.to(doc, 'completed', worker)
    const { shelf, archive } = keep()
    settle(doc, later(), archive)
    submissionsOf(doc).push([{ kind: 'note', task: id, note: { by: other, at: 3, text: 'late' } }])
    expect([...settle(doc, later(), archive).unknown]).toEqual([id])
    expect(submissionsOf(doc).length).toBe(1)
    const world = later({ archived: new Map(shelf) })
    settle(doc, world, archive)
    expect(submissionsOf(doc).length).toBe(0)
    submissionsOf(doc).push([{ kind: 'note', task: id, note: { by: other, at: 4, text: 'later' } }])
    settle(doc, world, archive)
    const notes = [{ value: { text: 'late' } }, { value: { text: 'later' } }]
    expect(shelf.get(id)?.notes).toMatchObject(notes)
    // The position of the newest of the three entries.
    expect(archivedTasks(doc)).toBe(3)
  })

  it('[TASK-16] too many ended tasks are archived before their time, the oldest first', () => {
    const doc = at.team()
    const { shelf, archive } = keep()
    const count = KEPT_ENDED_TASKS + 300
    for (let i = 0; i < count; i++) at.handIn(doc, { id: taskId(`${i}`) })
    settle(doc)
    for (let i = 0; i < count; i++) {
      moveTask(doc, { ...at.by(worker, '', 2 + i, `t-${i}`), state: 'completed' })
    }
    for (let i = 0; i < 5; i++) settle(doc, worldAt(count + 2), archive)
    expect([...entriesIn(tasksOf(doc))]).toHaveLength(KEPT_ENDED_TASKS)
    expect(shelf.size).toBe(300)
    expect(shelf.has(taskId('0'))).toBe(true)
  }, 60_000)
})
