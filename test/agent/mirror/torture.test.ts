import { expect, it } from 'vitest'
import { torture } from '../../support/mirror/torture/run.ts'
import { canMount } from '../../support/mirror/torture/side.ts'

/** Seeds that have most kinds of operations in them; all others: npm run proof -- mirror. */
const SEEDS = [31, 64]

if (!canMount)
  console.log('nothing can be mounted here: no mounts and full disks among the operations')

it('[MIRROR-21] whatever is done to two folders, they become the same, and no line and no secret goes astray', async () => {
  const runs = await Promise.all(SEEDS.map((seed) => torture(seed, 12)))
  for (const [i, { faults, trace }] of runs.entries()) {
    expect(faults, `seed ${SEEDS[i]}\n${trace.join('\n')}`).toEqual([])
  }
})
