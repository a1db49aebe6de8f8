import { expect, it } from 'vitest'
import { toJson } from '../../../sync-server/http/answer.ts'
import { TurnBudget } from '../../../sync-server/limits/fair-scheduler.ts'
import { CommandQueue } from '../../../sync-server/sync/turn/command-queue.ts'

const command = (by: string, name: string, joins = false) => ({ by, name, joins })

it('[LIM-46] commands of one agent do not wait for all of another; those that belong together stay together', () => {
  const queue = new CommandQueue<ReturnType<typeof command>>()
  for (const name of ['m1', 'm2', 'm3']) queue.push(command('mallory', name))
  queue.push(command('', 's1'))
  queue.push(command('', 's2', true))
  queue.push(command('ann', 'a1'))
  expect(queue.size).toBe(6)
  const turns: string[] = []
  while (queue.size > 0)
    turns.push(
      queue
        .next()
        .map(({ name }) => name)
        .join('+'),
    )
  expect(turns).toEqual(['m1', 's1+s2', 'a1', 'm2', 'm3'])
  expect(queue.next()).toEqual([])
})

const busy = (ms: number): void => {
  const until = performance.now() + ms
  while (performance.now() < until);
}

it('[LIM-46] what is ready at once is done a little in each turn, in order', async () => {
  const requestBudget = new TurnBudget()
  let turn = 0
  let isOver = false
  const count = (): void => {
    turn++
    if (!isOver) setImmediate(count)
  }
  setImmediate(count)
  const done: [number, number][] = []
  await Promise.all(
    Array.from({ length: 5 }, async (_, i) => {
      await requestBudget.next()
      busy(6)
      done.push([i, turn])
    }),
  )
  isOver = true
  expect(done.map(([i]) => i)).toEqual([0, 1, 2, 3, 4])
  expect(new Set(done.map(([, turn]) => turn)).size).toBe(5)
})

it('[LIM-46] an answer made by and by is the one made at once', async () => {
  const answer = {
    files: Array.from({ length: 5_000 }, (_, i) => ({ key: `ä"${i}`, size: i, none: undefined })),
    few: [1, undefined, null],
    count: 5_000,
    none: undefined,
    next: null,
    '"odd" name': { deep: ['x'] },
  }
  let spent = 0
  const json = await toJson(answer, (ms) => {
    spent += ms
  })
  expect(json).toBe(JSON.stringify(answer))
  expect(spent).toBeGreaterThan(0)
  expect(await toJson({}, () => {})).toBe('{}')
})
