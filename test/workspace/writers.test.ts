import { expect, it } from 'vitest'
import { runSeed } from '../support/client.ts'
import { runWriters, STARTS } from '../support/writers.ts'

it.each(STARTS)('[F1] many writers at once lose no line: %s', (start) => {
  const first = runSeed(`writers, ${start}`)
  const [runs, writers, steps] = start === '1 MB line' ? [1, 3, 12] : [25, 6, 40]
  for (let seed = first; seed < first + runs; seed++) {
    const {
      markers,
      joined: _,
      lostByLastWriter,
      ...outcome
    } = runWriters(seed % 1e6, start, writers, steps)
    expect(markers, `seed ${seed}`).toBeGreaterThan(0)
    expect(outcome, `seed ${seed}`).toEqual({ lost: 0, doubled: 0, broken: false, equal: true })
  }
})
