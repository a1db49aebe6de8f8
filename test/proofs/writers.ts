import { type Outcome, runWriters, STARTS } from '../support/writers.ts'

/**
 * Many writers on one file, many times; prints what was lost, and what the same script loses where the last writer
 * wins: `npm run proof:files -- [RUNS [SEED]]`.
 */
const runs = Number(process.argv[2] ?? 500)
const seed = Number(process.argv[3] ?? 1)

let failed = false
for (const start of STARTS) {
  const isLarge = start === '1 MB line'
  const [count, writers, steps] = isLarge ? [Math.ceil(runs / 50), 3, 12] : [runs, 6, 40]
  const total = { markers: 0, lost: 0, doubled: 0, joined: 0, lostByLastWriter: 0 }
  let broken = 0
  for (let i = 0; i < count; i++) {
    const outcome: Outcome = runWriters(seed + i, start, writers, steps)
    for (const name of Object.keys(total) as (keyof typeof total)[]) total[name] += outcome[name]
    if (outcome.broken || !outcome.equal) broken++
    if (outcome.lost + outcome.doubled > 0 || outcome.broken || !outcome.equal) {
      failed = true
      console.log(`seed ${seed + i}, ${start}:`, outcome)
    }
  }
  const { markers, lost, doubled, joined, lostByLastWriter } = total
  const share = ((100 * lostByLastWriter) / markers).toFixed(0)
  console.log(
    `${start}: ${count} runs of ${writers} writers, ${markers} lines: ${lost} lost, ${doubled} doubled, ${joined} joined to another line, ${broken} runs broken or unequal; last writer wins: ${lostByLastWriter} lost (${share} %)`,
  )
}
process.exitCode = failed ? 1 : 0
