import { expect, it } from 'vitest'
import { liveThrough, type Size } from '../../support/task-life.ts'

it('[TASK-19] 4,000 tasks leave little more behind than 2,000: what is archived is gone', () => {
  const sizes: Size[] = []
  liveThrough([2_000, 4_000], (size) => sizes.push(size))
  const [before, after] = sizes as [Size, Size]
  expect(after.archived).toBe(3_000)
  // A place for each bucket and each break in what one client wrote; 2,000 keys alone would be 50 KB.
  expect(after.document - before.document).toBeLessThan(12_000)
  expect(after.stateVector).toBe(before.stateVector)
})
