import { runSuggestions } from '../support/workspace/suggestion-runs.ts'

/** Random histories of suggestions by six agents: `npm run proof -- suggestions [RUNS [SEED]]`. */
const [runs = 1_000, seed = 1] = process.argv.slice(2).map(Number)

const total = { suggested: 0, accepted: 0, rejected: 0, conflicts: 0, refused: 0, moved: 0 }
let broken = 0
for (let i = 0; i < runs; i++) {
  const outcome = runSuggestions(seed + i)
  for (const name of Object.keys(total) as (keyof typeof total)[]) total[name] += outcome[name]
  if (outcome.broken.length === 0) continue
  broken++
  console.log(`seed ${seed + i}:`, outcome.broken.slice(0, 5))
}
console.log(`${runs} histories from seed ${seed}, ${broken} broke a rule:`, total)
process.exitCode = broken === 0 ? 0 : 1
