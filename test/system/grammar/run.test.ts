import { expect, it } from 'vitest'
import { orLong, runSeed } from '../../support/client.ts'
import { runGrammar } from '../../support/grammar/run.ts'

it('[GRAMMAR-9] hostile operations by members who know the schema: nothing honest is lost or altered, and no program fails', async () => {
  const outcome = await runGrammar({
    seed: runSeed('grammar'),
    operations: orLong(400, 4_000),
    rounds: 2,
    restarts: 1,
  })
  expect(outcome.operations).toBeGreaterThanOrEqual(400)
  expect(outcome.accepted).toBeGreaterThanOrEqual(3)
  expect(outcome.refused['4422']).toBeGreaterThanOrEqual(4)
})
