// Two agents mirror two folders; a branch is checked out in one while editors work in the other. Each run has a seed of
// its own, SEED and on.
//   npm run proof -- checkout [FILES] [RUNS] [SEED]
import { checkoutRun } from '../support/mirror/checkout.ts'

const files = Number(process.argv[2] ?? 2_000)
const runs = Number(process.argv[3] ?? 1)
const first = Number(process.argv[4] ?? 1)

for (let seed = first; seed < first + runs; seed++) {
  const { lost, different, wrong, ...run } = await checkoutRun(files, seed)
  const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`
  console.log(
    `SEED=${seed}: ${run.files} files, ${run.changed} of them other ones on the branch, ${run.edits} edits meanwhile`,
  )
  console.log(
    `  first mirror ${seconds(run.firstMirror)}, second ${seconds(run.secondMirror)}; the same ${seconds(run.untilSame)} after the last edit`,
  )
  console.log(
    `  edits lost or doubled: ${lost.length}; paths that differ: ${different.length}; ` +
      `paths whose other lines are not the branch's: ${wrong.length}; removed and edited, so back: ${run.back}`,
  )
  if (lost.length + different.length + wrong.length === 0) continue
  console.error({ lost, different, wrong })
  process.exitCode = 1
}
