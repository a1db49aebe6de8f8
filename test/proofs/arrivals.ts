import { type Outcome, runArrivals } from '../support/auth/arrival-runs.ts'

/** Where what arrives will stand, in random documents: `npm run proof -- arrivals [RUNS [SEED]]`. */
const [runs = 10_000, seed = 1] = process.argv.slice(2).map(Number)

const total: Outcome = { compared: 0, collected: 0, refused: 0, broken: 0 }
let failed = 0
for (let i = 0; i < runs; i++) {
  try {
    const outcome = runArrivals(seed + i)
    for (const name of Object.keys(total) as (keyof Outcome)[]) total[name] += outcome[name]
  } catch (error) {
    failed++
    console.log((error as Error).message)
  }
}
console.log(`${runs} runs from seed ${seed}, ${failed} wrong:`, total)
process.exitCode = failed === 0 ? 0 : 1
