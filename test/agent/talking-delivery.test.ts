import { expect, it } from 'vitest'
import { addTallies, openLane } from '../proofs/delivery-runs.ts'
import { runSeed } from '../support/client.ts'

it('[M8] whatever is killed, cut off or slow: each message arrives, and once acknowledged never again', async () => {
  const first = runSeed('delivery')
  const lane = await openLane()
  let total = await lane.run(first)
  for (let seed = first + 1; seed < first + 10; seed++) {
    total = addTallies(total, await lane.run(seed))
  }
  await lane.close()
  console.log(total)
  expect(total.messages).toBeGreaterThan(100)
  for (const what of ['deliveries', 'kills', 'cuts', 'bursts'] as const) {
    expect(total[what], what).toBeGreaterThan(0)
  }
})
