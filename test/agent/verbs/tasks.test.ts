import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Agent, registeredHere } from '../../support/agent.ts'
import { startHere } from '../../support/in-process.ts'
import type { ServerAt } from '../../support/server.ts'

interface Seen {
  tasks: { task_id: string; status: string; priority: string }[]
  count: number
}

let server: ServerAt
let boss: Agent & { id: string }
let worker: Agent & { id: string }

beforeAll(async () => {
  server = await startHere()
  boss = await registeredHere(server.url, 'Boss')
  worker = await registeredHere(server.url, 'Worker')
})
afterAll(() => server.stop())

const delegate = async (task: string, priority: string): Promise<string> =>
  (
    await boss.ask<{ task: { task_id: string } }>(
      ...['delegate', '--to', 'Worker', '--task', task, '--priority', priority],
    )
  ).task.task_id

it('tasks lists the open ones by urgency, or by state; task shows what became of one', async () => {
  const [low, urgent, done] = [
    await delegate('sweep', 'low'),
    await delegate('put out the fire', 'urgent'),
    await delegate('count the stars', 'normal'),
  ]
  await worker.ask(
    'respond',
    '--to',
    'Boss',
    '--msg-id',
    done,
    '--result',
    'begun',
    '--status',
    'in_progress',
  )
  await boss.ask('note', done, 'the bright ones only')
  await worker.ask('respond', '--to', 'Boss', '--msg-id', done, '--result', '6000')

  const ids = async (...flags: string[]) =>
    (await worker.ask<Seen>('tasks', ...flags)).tasks.map(({ task_id }) => task_id)
  expect(await ids()).toEqual([urgent, low])
  expect(await ids('--mine', '--sort', 'created')).toEqual([low, urgent])
  expect(await ids('--from-me')).toEqual([])
  expect(await ids('--state', 'completed,in_progress')).toEqual([done])
  expect((await worker.atLink('tasks', '--state', 'finished')).code).toBe(2)
  expect((await worker.atLink('tasks', '--sort', 'size')).code).toBe(2)
  expect((await boss.atLink('tasks')).stdout).toContain('Boss → Worker  put out the fire')

  const { task } = await boss.ask<{ task: object }>('task', done)
  expect(task).toMatchObject({
    status: 'completed',
    owner: worker.id,
    history: [
      { state: 'working', by: worker.id, message: 'begun' },
      { state: 'completed', by: worker.id, message: '6000' },
    ],
    notes: [{ by: boss.id, text: 'the bright ones only' }],
  })
  const { stdout } = await boss.atLink('task', done)
  expect(stdout).toMatch(
    /working \(claimed\): begun\n.*note: the bright ones only\n.*completed: 6000\n$/,
  )
  expect((await boss.atLink('task', 't-none')).code).toBe(3)
})
