import { expect, test } from 'vitest'
import { Checkpoints } from '../../../../sync-server/sync/turn/checkpoints.ts'

const MOST = 100_000_000

test('[DUR-7] a log that grew by 100 updates is folded once nothing more comes', async () => {
  const stored: number[] = []
  const checkpoints = new Checkpoints(async ({ length }) => void stored.push(length), MOST)
  checkpoints.committed(99, 990)
  checkpoints.beat()
  checkpoints.beat()
  expect(checkpoints.isDue).toBe(false)
  checkpoints.committed(1, 10)
  checkpoints.beat()
  expect(checkpoints.isDue).toBe(false)
  checkpoints.committed(1, 10)
  checkpoints.beat()
  expect(checkpoints.isDue).toBe(false)
  checkpoints.beat()
  expect(checkpoints.isDue).toBe(true)
  await checkpoints.write(() => new Uint8Array(7))
  expect(stored).toEqual([7])
  checkpoints.beat()
  expect([checkpoints.isDue, checkpoints.upToDate]).toEqual([false, true])
})

test('[DUR-7] … a large one not for a few updates', async () => {
  const checkpoints = new Checkpoints(async () => {}, MOST)
  checkpoints.committed(1, 10)
  await checkpoints.write(() => new Uint8Array(5_000_000))
  checkpoints.committed(200, 2_000)
  checkpoints.beat()
  expect(checkpoints.beat()).toBe(false)
})
