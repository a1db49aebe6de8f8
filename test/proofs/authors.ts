import { type Outcome, runAuthors } from '../support/authors/run.ts'

/**
 * Random edits by agents of all kinds, with forged frames between: `npm run proof -- authors [EDITS [SEED [MINUTES]]]`. Each
 * round has a workspace and a seed of its own; a round runs alone with `authors 100000 ITS-SEED`. After MINUTES no further
 * edits are made. With CLAWLINK_TEST_STORE=postgres://… the servers have their records there.
 */
const [edits = 1_000_000, seed = Math.floor(Math.random() * 2 ** 31), minutes = 40] = process.argv
  .slice(2)
  .map(Number)
/** Edits of a round (count). */
const ROUND = 100_000
const RESTARTS = 4
/** Progress is told this often (milliseconds). */
const TELL_MS = 15_000
/** All that each full round has of each. */
const KINDS = ['tuiEdits', 'httpEdits', 'mirrorEdits', 'undos', 'accepted', 'forgeries'] as const

const began = performance.now()
const seconds = (): number => Math.round((performance.now() - began) / 1000)
const isOver = (): boolean => seconds() > minutes * 60
let told = began
let before = 0
const tell = ({ edits: done, operations, restarts }: Outcome): void => {
  if (performance.now() - told < TELL_MS) return
  told = performance.now()
  const rate = Math.round((before + done) / ((told - began) / 1000))
  const compared = `${operations} operations compared in ${restarts} restarts of this round`
  console.log(`${seconds()} s: ${before + done} edits, ${rate}/s, ${compared}`)
}

const total: Partial<Record<keyof Outcome, number>> = {}
const rounds = Math.ceil(edits / ROUND)
for (let i = 0; i < rounds && !isOver(); i++) {
  const wanted = Math.min(ROUND, edits - before)
  console.log(`round ${i + 1} of ${rounds}: SEED=${seed + i}`)
  const outcome = await runAuthors({
    ...{ seed: seed + i, edits: wanted, restarts: RESTARTS },
    ...{ burst: 600, withMirror: true, onRound: tell, isOver },
  })
  for (const [name, count] of Object.entries(outcome) as [keyof Outcome, number][]) {
    total[name] = (total[name] ?? 0) + count
  }
  before += outcome.edits
  const missing = KINDS.filter((name) => outcome[name] === 0)
  if (wanted === ROUND && !isOver() && missing.length > 0) {
    throw new Error(`the round proves nothing of ${missing.join(', ')}`)
  }
}
console.log(JSON.stringify(total, null, 2))
const rate = Math.round(before / seconds())
console.log(`no wrong author in ${before} edits, ${seconds()} s, ${rate} edits/s`)
if (before < edits) console.log(`of ${edits} edits, as time was up after ${minutes} minutes`)
process.exit(0)
