import { runGrammar } from '../support/grammar/run.ts'

/** Hostile operations by members who know the schema: `npm run proof -- grammar [OPERATIONS [SEED]]`. */
const [operations = 1_000_000, seed = Math.floor(Math.random() * 2 ** 31)] = process.argv
  .slice(2)
  .map(Number)
console.log(`${operations} hostile operations, SEED=${seed}`)
const began = performance.now()
const outcome = await runGrammar({
  seed,
  operations,
  rounds: Math.min(40, Math.ceil(operations / 500)),
  restarts: 20,
  onRound: ({ operations: done }) =>
    console.error(`${done} after ${Math.round((performance.now() - began) / 1000)} s`),
})
console.log(JSON.stringify(outcome, null, 2))
console.log(
  `the server never exited, nothing honest was lost, ${Math.round((performance.now() - began) / 1000)} s`,
)
process.exit(0)
