import { runHistory } from '../support/task-model.ts'

/** Random histories of tasks: `npm run proof:tasks -- [RUNS [SEED [STEPS]]]`. */
const [runs = 5_000, seed = 1, steps = 150] = process.argv.slice(2).map(Number)

const total: Record<string, number> = {}
let failed = 0
for (let i = 0; i < runs; i++) {
  try {
    for (const [name, count] of Object.entries(await runHistory(seed + i, steps))) {
      total[name] = (total[name] ?? 0) + count
    }
  } catch (error) {
    failed++
    console.log((error as Error).message)
  }
}
const { tasks, grants, completed, lost, archived, restarts, refused } = total
console.log(
  `${runs} histories, ${total.steps} steps: ${tasks} tasks, ${grants} grants, ${completed} completed, ${lost} leases lost, ${archived} archived, ${restarts} restarts of the server, ${refused} commands refused; ${failed} histories broke a rule`,
)
process.exitCode = failed === 0 ? 0 : 1
