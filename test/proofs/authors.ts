import { runAuthors } from '../support/authors/run.ts'

/** Random edits by six agents, with forged frames between: `npm run proof -- authors [EDITS [SEED]]`. */
const [edits = 1_000_000, seed = Math.floor(Math.random() * 2 ** 31)] = process.argv
  .slice(2)
  .map(Number)
console.log(`${edits} edits, SEED=${seed}`)
const began = performance.now()
const seconds = () => Math.round((performance.now() - began) / 1000)
const outcome = await runAuthors({
  ...{
    seed,
    edits,
    restarts: Math.max(2, Math.round(edits / 50_000)),
    burst: 400,
    withMirror: true,
  },
  onRestart: ({ edits: done, operations }) =>
    console.error(`${done} edits, ${operations} operations compared, after ${seconds()} s`),
})
console.log(JSON.stringify(outcome, null, 2))
console.log(`no wrong author, ${seconds()} s`)
process.exit(0)
