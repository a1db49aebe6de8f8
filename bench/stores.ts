import { resolve } from 'node:path'
import { findPostgres, startPostgres } from '../scripts/postgres/postgres.ts'
import { type Contender, clawlink, clawlinkIn, clawlinkOn } from './contenders.ts'
import { barrierOn, type Part } from './durable-write.ts'
import { measure } from './fanout.ts'
import type { FanoutJob, FanoutResult } from './fanout-load.ts'
import { startWorker } from './programs.ts'
import { integer, milliseconds, spread, times } from './report.ts'
import { inRounds } from './rounds.ts'
import { median, pairedRatio } from './stats.ts'
import { writerUpdates } from './workload.ts'

/**
 * LevelDB and PostgreSQL under the same server, and earlier builds, in rounds in which all take turns to be first:
 * durable write and fan-out. `npm run bench:stores -- [ROUNDS [DIST…]]`, where each DIST is the dist/ of an earlier build.
 */
const [rounds = '9', ...dists] = process.argv.slice(2)
const ROUNDS = Number(rounds)
/** Writes a round, one after another; the first ones do not count. */
const WRITES = 200
const WARM_UP = 50

const found = findPostgres()
if (found.bin === undefined) throw new Error(found.why)
const postgres = await startPostgres(found.bin)
const others: Contender[] = [
  ...dists.map((dist) => ({ ...clawlinkIn(resolve(dist)), name: `before, ${dist}` })),
  { ...clawlinkOn(postgres.url), name: 'PostgreSQL' },
]
const all = [clawlink, ...others]

const say = (what: string, figures: readonly number[][], format: (n: number) => string): void => {
  const [level = []] = figures
  for (const [i, { name }] of all.entries()) {
    const ratio = times(pairedRatio(figures[i]!, level))
    console.log(`${what}, ${i === 0 ? 'LevelDB' : name}: ${spread(figures[i]!, format)}: ${ratio}`)
  }
}

const { updates } = writerUpdates(0, WARM_UP + ROUNDS * WRITES)
const parts: Part[] = []
for (const contender of all) {
  const part = await barrierOn(contender)
  for (const update of updates.slice(0, WARM_UP)) await part.write(update)
  parts.push(part)
}
const writes = await inRounds(parts, ROUNDS, async (part, round) => {
  const took: number[] = []
  const at = WARM_UP + round * WRITES
  for (const update of updates.slice(at, at + WRITES)) {
    const start = performance.now()
    await part.write(update)
    took.push(performance.now() - start)
  }
  return median(took)
})
say('durable write, p50, ms', [...writes.values()], milliseconds)
for (const part of parts) await part.close()

const generator = await startWorker<FanoutJob, FanoutResult>('fanout-load.ts')
const load = { clients: 100, writers: 4, underWay: 64, rounds: ROUNDS }
const fanned = await inRounds(all, ROUNDS, async (contender) => {
  const result = await measure(generator, contender, load)
  return result.updates / result.seconds
})
say('fan-out, 100 clients, 4 writers, 64 under way, updates/s', [...fanned.values()], integer)
await generator.close()
await postgres.stop()
process.exit()
