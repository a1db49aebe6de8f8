import { type Outcome, runAuthors } from '../support/authors/run.ts'

/**
 * Random edits by agents of all kinds, with forged frames between: `npm run proof -- authors [EDITS [SEED [MINUTES]]]`. After
 * MINUTES it makes no further edits.
 */
const [edits = 1_000_000, seed = Math.floor(Math.random() * 2 ** 31), minutes = 25] = process.argv
  .slice(2)
  .map(Number)
console.log(`${edits} edits, SEED=${seed}`)
/** Progress is told this often (milliseconds). */
const TELL_MS = 15_000
const began = performance.now()
let told = began
const seconds = (): number => Math.round((performance.now() - began) / 1000)
const tell = ({ edits: done, operations, restarts }: Outcome): void => {
  if (performance.now() - told < TELL_MS) return
  told = performance.now()
  const rate = Math.round(done / ((told - began) / 1000))
  const compared = `${operations} operations compared in ${restarts} restarts`
  console.log(`${seconds()} s: ${done} edits, ${rate}/s, ${compared}`)
}
const outcome = await runAuthors({
  ...{ seed, edits, restarts: Math.max(2, Math.round(edits / 50_000)) },
  ...{ burst: 1_500, withMirror: true, onRound: tell },
  isOver: () => seconds() > minutes * 60,
})
console.log(JSON.stringify(outcome, null, 2))
const rate = Math.round(outcome.edits / seconds())
console.log(`no wrong author in ${outcome.edits} edits, ${seconds()} s, ${rate} edits/s`)
if (outcome.edits < edits) console.log(`of ${edits} edits, as time was up after ${minutes} minutes`)
process.exit(0)
