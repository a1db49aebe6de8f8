import { expect, it } from 'vitest'
import { runSuggestions } from '../../support/workspace/suggestion-runs.ts'

const SEEDS = Array.from({ length: 15 }, (_, i) => 5_000 + i)

it('[SUGGEST-2] [SUGGEST-3] [SUGGEST-5] six agents: no accepted hunk is lost, doubled or misplaced', () => {
  let accepted = 0
  let conflicts = 0
  for (const seed of SEEDS) {
    const outcome = runSuggestions(seed)
    expect(outcome.broken, `seed ${seed}`).toEqual([])
    accepted += outcome.accepted
    conflicts += outcome.conflicts
  }
  expect(accepted).toBeGreaterThan(50)
  expect(conflicts).toBeGreaterThan(10)
})
