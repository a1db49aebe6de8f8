import { resolve } from 'node:path'
import { childEnv, startWorker } from './programs.ts'
import { milliseconds, times } from './report.ts'
import { hasScreens } from './screen.ts'
import { median, pairedRatio, quantile } from './stats.ts'
import type { TuiJob, TuiResult } from './tui-load.ts'

/**
 * What a change costs a person: starts and keys of the terminal UI of this build against those of an earlier one, in pairs
 * that take turns to be first. Each side has a server, a link and agents of its own build, and only one works at a time.
 * `npm run bench:tui-before -- DIST [ROUNDS]`, where DIST is the dist/ of the earlier build.
 */
const [dist, rounds = '15'] = process.argv.slice(2)
if (dist === undefined) throw new Error('usage: npm run bench:tui-before -- DIST [ROUNDS]')
if (!hasScreens()) throw new Error('tmux is not installed')
const ROUNDS = Number(rounds)
/** Keys of one side in a round (count). */
const KEYS = 10

const sideOf = (env: NodeJS.ProcessEnv) =>
  startWorker<TuiJob, TuiResult>('tui-load.ts', { ...childEnv, ...env })
const before = await sideOf({ CLAWLINK_BENCH_DIST: resolve(dist) })
const now = await sideOf({ CLAWLINK_BENCH_DIST: '' })
const BOTH = [before, now] as const

/** The results of both sides, in pairs: each is first every other time. */
const inPairs = async (job: TuiJob): Promise<[was: TuiResult[], is: TuiResult[]]> => {
  const found = new Map<object, TuiResult[]>(BOTH.map((side) => [side, []]))
  for (let round = 0; round < ROUNDS; round++) {
    for (const side of round % 2 === 0 ? BOTH : BOTH.toReversed()) {
      found.get(side)!.push(await side.run(job))
    }
  }
  return [found.get(before)!, found.get(now)!]
}

const say = (what: string, [was, is]: [TuiResult[], TuiResult[]]): void => {
  const shown = (all: readonly TuiResult[]): string => {
    const ms = all.flatMap((one) => one.ms)
    return `p50 ${milliseconds(median(ms))}, p95 ${milliseconds(quantile(ms, 0.95))}`
  }
  const medians = (all: readonly TuiResult[]) => all.map(({ ms }) => median(ms))
  const ratio = times(pairedRatio(medians(is), medians(was)))
  console.log(`${what}, ms: before ${shown(was)}; now ${shown(is)}: ${ratio}`)
}

try {
  // The first of each fills the caches of the disk.
  for (const side of BOTH) await side.run({ do: 'start' })
  say('start → board', await inPairs({ do: 'start' }))
  for (const side of BOTH) await side.run({ do: 'keys', count: KEYS })
  const keys = await inPairs({ do: 'keys', count: KEYS })
  say('key → drawn', keys)
  const cpu = keys.map((all) => all.map((one) => one.cpu / KEYS))
  const [was, is] = cpu.map((all) => milliseconds(median(all)))
  const ratio = times(pairedRatio(cpu[1]!, cpu[0]!))
  console.log(
    `CPU of clawlink per key, ms, others' work included: before ${was}, now ${is}: ${ratio}`,
  )
} finally {
  for (const side of BOTH) {
    await side.run({ do: 'end' }).catch(() => {}) // it has ended
    await side.close()
  }
}
process.exit()
