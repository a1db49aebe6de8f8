import { clawlinkIn } from './contenders.ts'
import { measure } from './fanout.ts'
import type { FanoutJob, FanoutResult } from './fanout-load.ts'
import { startWorker } from './programs.ts'
import { pairedRatio, median } from './stats.ts'
const sides = { off: clawlinkIn('/tmp/h/attr-off/dist'), on: clawlinkIn('/tmp/h/attr/dist') }
const generator = await startWorker<FanoutJob, FanoutResult>('fanout-load.ts')
const found = { off: [] as number[], on: [] as number[] }
const until = Date.now() + 200_000
for (let round = 0; Date.now() < until; round++) {
  for (const side of round % 2 === 0 ? (['off', 'on'] as const) : (['on', 'off'] as const)) {
    const r = await measure(generator, sides[side], { clients: 10, writers: 4, underWay: 64, rounds: 1 })
    found[side].push(r.updates / r.seconds / (r.serverCpu ?? NaN))
  }
  console.log(round, found.off.at(-1), found.on.at(-1))
}
console.log('ratio on/off, updates per CPU second', pairedRatio(found.on, found.off), median(found.on), median(found.off))
process.exit(0)
