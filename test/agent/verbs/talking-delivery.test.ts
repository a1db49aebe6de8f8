import { expect, it } from 'vitest'
import { orLong, runSeed } from '../../support/client.ts'
import { addTallies, openLane } from '../../support/delivery/runs.ts'

it('[MSG-8] whatever is killed, cut off or slow: each message arrives, and once acknowledged never again', async () => {
  const seed = runSeed('delivery')
  const first = seed - (seed % 4) // in one of four the server trims
  const lane = await openLane()
  let total = await lane.run(first)
  const runs = orLong(2, 8)
  for (let more = 1; more < runs; more++) total = addTallies(total, await lane.run(first + more))
  await lane.close()
  console.log(total)
  expect(total.messages).toBeGreaterThan(50)
  for (const what of ['deliveries', 'kills', 'cuts', 'bursts'] as const) {
    expect(total[what], what).toBeGreaterThan(0)
  }
})
