import { afterEach, expect, it, vi } from 'vitest'
import type { AgentId, TaskId } from '../../../protocol/ids.ts'
import { Authors } from '../../../sync-server/auth/ownership/authors.ts'
import { Room } from '../../../sync-server/sync/room.ts'
import { TaskScheduler } from '../../../sync-server/tasks/scheduler.ts'
import { registerAgent } from '../../../workspace/agents/agents.ts'
import { initWorkspace, serverClientOf } from '../../../workspace/document/schema.ts'
import { claimTask, moveTask } from '../../../workspace/tasks/task-commands.ts'
import { addTask, findEntry, getTask } from '../../../workspace/tasks/tasks.ts'
import { until, untilDoc } from '../../support/client.ts'
import { MemoryUpdateLog } from '../../support/sync-server/memory-update-log.ts'

const boss = 'a-boss' as AgentId
const worker = 'a-worker' as AgentId

afterEach(() => void vi.useRealTimers())

const LEASE_MS = 600_000

/** A room with a scheduler, by the clock `now`; a boss and a worker are registered. */
const stage = async (now: () => number) => {
  const log = new MemoryUpdateLog()
  const failures: unknown[] = []
  const keeper = new TaskScheduler({
    ...{ log, now, leaseMs: LEASE_MS, offerMs: 60_000, archiveAfterMs: 5_000 },
    onError: (error) => failures.push(error),
  })
  const room: Room = new Room('w', {
    log,
    maxAwareness: 8_192,
    ...{ mayRead: () => true, isMoved: () => false },
    maxDocument: 1e9,
    slowReaderMs: 30_000,
    now,
    gate: () => new Authors(() => false),
    prepare: (doc, name) => initWorkspace(doc, name, now()),
    serverClient: serverClientOf,
    taskOf: () => null,
    keepsText: () => false,
    keeps: () => true,
    onDocument: (room, doc) => keeper.follow(room, doc),
    onAwareness: () => {},
    onFailure: (_room, error) => failures.push(error),
    onCommit: (room) => keeper.committed(room),
    onForgery: () => {},
    onClose: () => {},
    onIdle: () => {},
  })
  await room.loaded
  await room.command((doc) => {
    for (const id of [boss, worker]) {
      const about = { capabilities: [], machine: '', description: '' }
      registerAgent(doc, { id, name: id, ...about, now: now() })
    }
  })
  const give = (id: string, after: TaskId[] = []) =>
    room.command((doc) =>
      addTask(doc, {
        ...{ id: id as TaskId, description: 'x', context: null, priority: 'normal', after },
        ...{ from: boss, to: worker, now: now() },
      }),
    )
  const command = (task: string) => ({
    ...{ task, by: worker, key: `k-${task}`, now: now(), message: '' },
  })
  const close = async (): Promise<void> => {
    expect(failures).toEqual([])
    keeper.close()
    await room.close()
    await log.close()
  }
  return { keeper, room, give, command, close }
}

it('[TASK-12] a claim that comes with its task waits until it is known how an archived one ended', async () => {
  let now = 1_000
  const { keeper, room, give, command, close } = await stage(() => now)
  await give('t-1')
  await keeper.command(room, (doc) => moveTask(doc, { ...command('t-1'), state: 'failed' }))
  now += 10_000
  await keeper.command(room, () => {})
  await until('it is archived', () => findEntry(room.doc, 't-1') === undefined)

  // In the same commit: handed in, and claimed.
  const given = give('t-2', ['t-1' as TaskId])
  const claimed = keeper.command(room, (doc) => claimTask(doc, command('t-2')))
  await given
  await expect(claimed).rejects.toMatchObject({ code: 'task_terminal' })
  expect(getTask(room.doc, 't-2')).toMatchObject({
    status: 'failed',
    message: 't-1, for which it waits, is failed',
  })
  await close()
})

it('[TASK-7] a task comes back by itself when its lease is over, and not before', async () => {
  vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout'] })
  const { keeper, room, give, command, close } = await stage(Date.now)
  const isHere = JSON.stringify({ agent: { id: worker, name: worker } })
  keeper.seen(room, 'null', isHere)
  await give('t-1')
  await keeper.command(room, (doc) => claimTask(doc, command('t-1')))
  await vi.advanceTimersByTimeAsync(2 * LEASE_MS)
  keeper.seen(room, isHere, 'null')
  await vi.advanceTimersByTimeAsync(LEASE_MS - 1)
  expect(getTask(room.doc, 't-1')).toMatchObject({ status: 'working', owner: worker })
  await vi.advanceTimersByTimeAsync(5_000)
  await untilDoc(room.doc, () => getTask(room.doc, 't-1')?.status === 'submitted')
  await close()
})
