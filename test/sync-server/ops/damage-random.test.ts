import { expect, it } from 'vitest'
import { runSeed } from '../../support/client.ts'
import { damageAtRandom } from '../../support/ops/damages.ts'
import { livedIn } from '../../support/ops/lived-in.ts'

const HITS = 15

it(`[OPS-8] ${HITS} random damages: each is an error, or found by verify, or has changed nothing`, async () => {
  const { data } = await livedIn('kill')
  const found = await damageAtRandom(data, HITS, runSeed('damage'))
  console.log(found)
  expect(found.refused + found.reported).toBeGreaterThan(HITS / 4)
})
