import { expect, it } from 'vitest'
import { orLong, runSeed } from '../../support/client.ts'
import { runHistory } from '../../support/tasks/history.ts'

const HISTORIES = orLong(60, 1_000)

it('[TASK-1] [TASK-4] [TASK-5] [TASK-6] [TASK-12] [TASK-13] [TASK-17] whatever comes, late, again or after a restart: no rule is broken, and all ends', async () => {
  const first = runSeed('a world of tasks') % 1e6
  const total: Record<string, number> = {}
  for (let seed = first; seed < first + HISTORIES; seed++) {
    for (const [what, count] of Object.entries(await runHistory(seed))) {
      total[what] = (total[what] ?? 0) + count
    }
  }
  // It did what it is for.
  for (const what of ['tasks', 'restarts', 'next', 'cancel', 'release', 'again', 'lease_lost']) {
    expect(total[what] ?? 0, what).toBeGreaterThan(0)
  }
})
