import { expect, it } from 'vitest'
import { orLong, runSeed } from '../../support/client.ts'
import { runHistory } from '../../support/tasks/history.ts'

const HISTORIES = orLong(60, 1_000)
/** What the histories must have in them; a few of these are rare. */
const WANTED = ['tasks', 'restarts', 'next', 'cancel', 'release', 'again', 'lease_lost']
const MOST_HISTORIES = 10 * HISTORIES

it('[TASK-1] [TASK-4] [TASK-5] [TASK-6] [TASK-12] [TASK-13] [TASK-17] whatever comes, late, again or after a restart: no rule is broken, and all ends', async () => {
  const first = runSeed('a world of tasks') % 1e6
  const total: Record<string, number> = {}
  const lacks = () => WANTED.filter((what) => (total[what] ?? 0) === 0)
  for (let i = 0; i < HISTORIES || (lacks().length > 0 && i < MOST_HISTORIES); i++) {
    for (const [what, count] of Object.entries(await runHistory(first + i))) {
      total[what] = (total[what] ?? 0) + count
    }
  }
  expect(lacks()).toEqual([])
})
