import { spawnSync } from 'node:child_process'
import { join, resolve } from 'node:path'
import { type Document, load, makeData } from './cold-load.ts'
import type { ColdLoadJob, ColdLoadResult } from './cold-load-client.ts'
import { clawlink, clawlinkIn } from './contenders.ts'
import { type Load, measure } from './fanout.ts'
import type { FanoutJob, FanoutResult } from './fanout-load.ts'
import { root, startWorker } from './programs.ts'
import { integer, milliseconds, spread, times } from './report.ts'
import { pairedRatio } from './stats.ts'

/**
 * What a change costs: fan-out, cold load and starts of programs of this build against those of an earlier one, in pairs
 * that take turns to be first. `npm run bench:before -- DIST [ROUNDS]`, where DIST is the dist/ of the earlier build.
 */
const [dist, rounds = '9'] = process.argv.slice(2)
if (dist === undefined) throw new Error('usage: npm run bench:before -- DIST [ROUNDS]')
const ROUNDS = Number(rounds)
const before = clawlinkIn(resolve(dist))
const BOTH = [before, clawlink] as const
type Side = (typeof BOTH)[number]

const LOADS: readonly Load[] = [
  { clients: 10, writers: 4, underWay: 8, rounds: ROUNDS },
  { clients: 100, writers: 4, underWay: 64, rounds: ROUNDS },
]
const DOCUMENTS: readonly Document[] = [
  { shape: 'typed', updates: 100_000, rounds: ROUNDS },
  { shape: 'scattered', updates: 100_000, rounds: ROUNDS },
]

/** Figures of both sides, in pairs: each is first every other time. */
const inPairs = async (one: (side: Side) => Promise<number>): Promise<Map<Side, number[]>> => {
  const found = new Map<Side, number[]>(BOTH.map((side) => [side, []]))
  for (let round = 0; round < ROUNDS; round++) {
    for (const side of round % 2 === 0 ? BOTH : BOTH.toReversed()) {
      found.get(side)!.push(await one(side))
    }
  }
  return found
}

const say = (what: string, found: Map<Side, number[]>, format: (n: number) => string): void => {
  const [was, is] = [found.get(before)!, found.get(clawlink)!]
  const ratio = times(pairedRatio(is, was))
  console.log(`${what}: before ${spread(was, format)}, now ${spread(is, format)}: ${ratio}`)
}

const generator = await startWorker<FanoutJob, FanoutResult>('fanout-load.ts')
for (const one of LOADS) {
  const found = await inPairs(async (side) => {
    const { updates, seconds } = await measure(generator, side, one)
    return updates / seconds
  })
  const what = `${one.clients} clients, ${one.writers} writers, ${one.underWay} under way`
  say(`fan-out, ${what}, updates/s`, found, integer)
}
await generator.close()
for (const document of DOCUMENTS) {
  const builder = await startWorker<ColdLoadJob, ColdLoadResult>('cold-load-client.ts')
  const { data, content } = await makeData(builder, document, BOTH)
  await builder.close()
  const found = await inPairs((side) => load(side, data.get(side)!, content, false))
  say(`cold load, ${document.shape} ${document.updates}, ms`, found, milliseconds)
}

/** A whole process of each program, without a server or link (milliseconds). */
const STARTS: readonly (readonly string[])[] = [
  ['clawlink-agent.cjs', '--version'],
  ['clawlink-agent.cjs', 'help', 'delegate'],
  ['clawlink-sync.cjs', '--help'],
  ['clawlink.mjs', '--help'],
]
const builds = new Map<Side, string>([
  [before, resolve(dist)],
  [clawlink, join(root, 'dist')],
])
for (const [program = '', ...args] of STARTS) {
  const found = await inPairs(async (side) => {
    const began = performance.now()
    const ran = spawnSync(process.execPath, [join(builds.get(side)!, program), ...args], {
      env: { ...process.env, CLAWLINK_LINK: 'off' },
    })
    if (ran.status !== 0) throw new Error(`${program} ${args.join(' ')}: ${ran.stderr}`)
    return performance.now() - began
  })
  say(`${program} ${args.join(' ')}`, found, milliseconds)
}
process.exit()
