import { describe, expect, it } from 'vitest'
import type { TaskId } from '../../../../protocol/ids.ts'
import { entriesIn } from '../../../../workspace/document/buckets.ts'
import {
  archivedTasks,
  type Submission,
  submissionsOf,
  tasksOf,
} from '../../../../workspace/document/schema.ts'
import { KEPT_ENDED_TASKS } from '../../../../workspace/tasks/reconcile/retention.ts'
import type { TaskWorld } from '../../../../workspace/tasks/reconcile/world.ts'
import { type ArchivedTask, readArchivedTask } from '../../../../workspace/tasks/task-archive.ts'
import { moveTask } from '../../../../workspace/tasks/task-commands.ts'
import { addNote, getTask, listTasks } from '../../../../workspace/tasks/tasks.ts'
import { settle, settlerOf, taskId, worldAt } from '../../../support/workspace/replicas.ts'
import * as at from '../../../support/workspace/task-world.ts'

const { creator, id, offered, other, worker } = at
const plain = {
  ...{ description: '', context: null, priority: 'low', from: creator, to: worker },
  createdAt: 1,
}

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
