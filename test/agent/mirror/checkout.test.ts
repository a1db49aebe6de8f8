import { expect, it } from 'vitest'
import { runSeed } from '../../support/client.ts'
import { checkoutRun } from '../../support/mirror/checkout.ts'

it('[MIRROR-1] another branch is checked out in one folder while editors work in the other: the same trees, nothing lost', async () => {
  const run = await checkoutRun(300, runSeed('checkout'))
  expect(run).toMatchObject({ lost: [], different: [], wrong: [] })
  expect(run.edits).toBeGreaterThan(50)
})
