import { expect, it } from 'vitest'
import { runSeed } from '../support/client.ts'
import { runHistory } from '../support/task-model.ts'

const HISTORIES = 300
const STEPS = 120

it('[T1] [T5] [T6] [T17] random histories with restarts: one owner, tokens grow, what ended stays, all ends, all are told', async () => {
  const first = runSeed('histories of tasks') % 1e6
  const total: Record<string, number> = {}
  for (let seed = first; seed < first + HISTORIES; seed++) {
    const counts = await runHistory(seed, STEPS)
    for (const [name, count] of Object.entries(counts)) total[name] = (total[name] ?? 0) + count
  }
  // It did what it is for.
  for (const name of ['tasks', 'grants', 'lost', 'archived', 'restarts', 'refused', 'completed']) {
    expect(total[name], name).toBeGreaterThan(HISTORIES / 10)
  }
})
