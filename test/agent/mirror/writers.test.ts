import { expect, it } from 'vitest'
import { orLong, runSeed } from '../../support/client.ts'
import { runWriters, STARTS } from '../../support/writer-runs.ts'

it.each(STARTS)(
  '[MIRROR-2] writers of files on disk and all others at once lose no line: %s',
  async (start) => {
    const first = runSeed(`mirrored writers, ${start}`) % 1e6
    const [runs, size] =
      start === '1 MB line'
        ? [1, { writers: 4, mirrors: 1, steps: 8 }]
        : [orLong(2, 20), { writers: 5, mirrors: 2, steps: 12 }]
    const seeds = Array.from({ length: runs }, (_, i) => first + i)
    const outcomes = await Promise.all(seeds.map((seed) => runWriters(seed, start, size)))
    for (const [i, { markers, joined: _, lostByLastWriter, ...outcome }] of outcomes.entries()) {
      expect(markers, `seed ${seeds[i]}`).toBeGreaterThan(0)
      expect(outcome, `seed ${seeds[i]}`).toEqual({
        lost: 0,
        doubled: 0,
        broken: false,
        equal: true,
      })
    }
  },
)
