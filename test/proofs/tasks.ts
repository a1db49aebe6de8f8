import { runHistory } from '../support/tasks/history.ts'

/** Random histories of a world of tasks: `npm run proof -- tasks [RUNS [SEED]]`. */
const [runs = 5_000, seed = 1] = process.argv.slice(2).map(Number)

const total: Record<string, number> = {}
let failed = 0
for (let i = 0; i < runs; i++) {
  try {
    for (const [what, count] of Object.entries(await runHistory(seed + i))) {
      total[what] = (total[what] ?? 0) + count
    }
  } catch (error) {
    failed++
    console.log((error as Error).message)
  }
}
console.log(`${runs} histories from seed ${seed}, ${failed} broke a rule:`, total)
process.exitCode = failed === 0 ? 0 : 1
