import { resolve } from 'node:path'
import { type Contender, clawlinkIn } from './contenders.ts'

/** A figure of each part per round; the parts take turns to be first. */
export const inRounds = async <T, R>(
  parts: readonly T[],
  rounds: number,
  one: (part: T, round: number) => Promise<R>,
): Promise<Map<T, R[]>> => {
  const figures = new Map<T, R[]>(parts.map((part) => [part, []]))
  for (let round = 0; round < rounds; round++) {
    const from = round % parts.length
    for (const part of [...parts.slice(from), ...parts.slice(0, from)]) {
      figures.get(part)!.push(await one(part, round))
    }
  }
  return figures
}

/** An earlier build to compare with, if CLAWLINK_BENCH_BEFORE names its dist/. */
export const earlier = (): Contender[] => {
  const dist = process.env.CLAWLINK_BENCH_BEFORE
  return dist ? [clawlinkIn(resolve(dist))] : []
}
