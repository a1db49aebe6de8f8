import { join } from 'node:path'
import { expect, it } from 'vitest'
import { orLong, runSeed, seeded } from '../../support/client.ts'
import { tempDir } from '../../support/server.ts'
import {
  historyOf,
  makeLog,
  rewrittenFrom,
  TAMPERS,
  Tampered,
  verified,
} from '../../support/sync-server/tampering.ts'

const RUNS = orLong(6, 40)
const RECORDS = 30

it.each(Object.keys(TAMPERS) as (keyof typeof TAMPERS)[])(
  '[RECORD-7] one witness finds each tampering of this kind: %s',
  async (kind) => {
    const random = seeded(runSeed(`tampering by ${kind}`))
    let found = 0
    for (let run = 0; found < RUNS; run++) {
      const place = tempDir('record')
      const witness = await makeLog(place, historyOf(random, RECORDS))
      const healthy = await verified(place, witness)
      expect(healthy.problems).toEqual([])
      expect(healthy.witnesses).toMatchObject([{ proves: 'content' }])
      const copy = join(tempDir('tampered'), 'data')
      const log = await Tampered.open(place, copy)
      const isDone = TAMPERS[kind](log, random)
      await log.close()
      if (!isDone) continue
      found++
      const { problems } = await verified(copy, witness)
      expect(problems, `run ${run}`).not.toEqual([])
    }
  },
)

it('[RECORD-7] one witness finds a log that was rewritten as a whole', async () => {
  const random = seeded(runSeed('rewritten'))
  for (let run = 0; run < RUNS; run++) {
    const steps = historyOf(random, RECORDS)
    const witness = await makeLog(tempDir('record'), steps)
    const place = tempDir('rewritten')
    const from = Math.floor((random() * steps.length) / 2)
    const own = await makeLog(place, rewrittenFrom(steps, from, random))
    expect((await verified(place, own)).problems).toEqual([])
    const { problems } = await verified(place, witness)
    expect(problems.map(({ what }) => what)).toEqual([
      expect.stringMatching(/^record \d+ or an earlier one is not the one that the witness saw$/),
    ])
  }
})
