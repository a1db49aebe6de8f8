import { expect, it } from 'vitest'
import { runSeed } from '../../support/client.ts'
import { runWriters, STARTS } from '../../support/writer-runs.ts'

it.each(STARTS)('[FILE-1] many writers at once lose no line: %s', async (start) => {
  const first = runSeed(`writers, ${start}`)
  const [runs, size] =
    start === '1 MB line' ? [1, { writers: 3, steps: 12 }] : [25, { writers: 6, steps: 40 }]
  for (let seed = first; seed < first + runs; seed++) {
    const {
      markers,
      joined: _,
      lostByLastWriter,
      ...outcome
    } = await runWriters(seed % 1e6, start, size)
    expect(markers, `seed ${seed}`).toBeGreaterThan(0)
    expect(outcome, `seed ${seed}`).toEqual({ lost: 0, doubled: 0, broken: false, equal: true })
  }
})
