import { type Outcome, runUndo } from '../support/workspace/undo-checks.ts'

/** One of six agents undone in random histories of a text: `npm run proof -- undo [RUNS [SEED]]`. */
const [runs = 1_000, seed = 1] = process.argv.slice(2).map(Number)
/** Changes in a history (count): in short ones few hunks overlap, in long ones nearly all do. */
const CHANGES = [10, 20, 40, 80]

for (const [i, changes] of CHANGES.entries()) {
  const total: Outcome = { equal: 0, met: 0, together: 0, reported: 0, changed: 0 }
  const count = Math.ceil(runs / CHANGES.length)
  for (let n = 0; n < count; n++) {
    const own = seed + i * count + n
    try {
      const outcome = runUndo(own, changes)
      for (const name of Object.keys(total) as (keyof Outcome)[]) total[name] += outcome[name]
    } catch (error) {
      process.exitCode = 1
      console.log(`seed ${own}, ${changes} changes: ${(error as Error).message}`)
    }
  }
  const { equal, met, together, reported, changed } = total
  console.log(
    `${count} histories of ${changes} changes: ${equal} equal to the last character; others wrote in ${met} lines beside undone text, all reported; ${together} characters were deleted by others, too, all reported; ${reported} of ${changed} changed lines reported`,
  )
}
