import { runKills } from '../support/tasks/kills.ts'

/** Tasks on a server that is killed again and again: `npm run proof -- task-kills [RUNS [SEED [KILLS]]]`. */
const [runs = 20, seed = 1, kills = 25] = process.argv.slice(2).map(Number)

const began = performance.now()
const total: Record<string, number> = {}
for (let i = 0; i < runs; i++) {
  for (const [what, count] of Object.entries(await runKills(seed + i, kills))) {
    total[what] = (total[what] ?? 0) + count
  }
}
const seconds = Math.round((performance.now() - began) / 1000)
console.log(`${runs} runs from seed ${seed} in ${seconds} s, no rule broken:`, total)
