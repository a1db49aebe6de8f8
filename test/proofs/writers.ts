import { runWriters, type Size, STARTS, type Start } from '../support/writer-runs.ts'

/**
 * Many writers on one file, many times; prints what was lost, and what the same script loses where the last writer
 * wins. First without the disk, then with mirrored folders in it:
 * `npm run proof -- files [RUNS [SEED [RUNS_WITH_MIRRORS]]]`, runs for each kind of text.
 */
const runs = Number(process.argv[2] ?? 500)
const seed = Number(process.argv[3] ?? 1)
const mirroredRuns = Number(process.argv[4] ?? 100)

/** Runs with mirrors wait for disks and timers most of the time: so many are under way at once (count). */
const AT_ONCE = 4
/** Of a text with a very long line there are so many fewer runs (times). */
const FEWER = { plain: 50, mirrored: 5 }

const prove = async (start: Start, count: number, size: Size): Promise<void> => {
  const total = { markers: 0, lost: 0, doubled: 0, joined: 0, lostByLastWriter: 0 }
  let broken = 0
  const seeds = Array.from({ length: count }, (_, i) => seed + i).values()
  const one = async (): Promise<void> => {
    for (const seed of seeds) {
      const outcome = await runWriters(seed, start, size)
      for (const name of Object.keys(total) as (keyof typeof total)[]) total[name] += outcome[name]
      if (outcome.broken || !outcome.equal) broken++
      if (outcome.lost + outcome.doubled === 0 && !outcome.broken && outcome.equal) continue
      process.exitCode = 1
      console.log(`seed ${seed}, ${start}:`, outcome)
    }
  }
  await Promise.all(Array.from({ length: size.mirrors === undefined ? 1 : AT_ONCE }, one))
  const { markers, lost, doubled, joined, lostByLastWriter } = total
  const share = ((100 * lostByLastWriter) / markers).toFixed(0)
  const who =
    size.mirrors === undefined
      ? `${size.writers} writers`
      : `${size.writers} writers, ${size.mirrors} of them on disk`
  console.log(
    `${start}: ${count} runs of ${who}, ${markers} lines: ${lost} lost, ${doubled} doubled, ${joined} joined to another line, ${broken} runs broken or unequal; last writer wins: ${lostByLastWriter} lost (${share} %)`,
  )
}

for (const start of STARTS) {
  if (start === '1 MB line')
    await prove(start, Math.ceil(runs / FEWER.plain), { writers: 3, steps: 12 })
  else await prove(start, runs, { writers: 6, steps: 40 })
}
for (const start of STARTS) {
  if (start === '1 MB line')
    await prove(start, Math.ceil(mirroredRuns / FEWER.mirrored), {
      ...{ writers: 4, mirrors: 1, steps: 8 },
    })
  else await prove(start, mirroredRuns, { writers: 5, mirrors: 2, steps: 12 })
}
