// Three agents, kills of them and of the server, partitions, clocks 10 minutes off: every message reaches whom it is
// for, and none comes again once it is acknowledged. Each run has its own seed, SEED and on.
//   npm run proof -- delivery [RUNS] [SEED] [LANES]
import { addTallies, openLane, type Tally } from '../support/delivery/runs.ts'

const runs = Number(process.argv[2] ?? 100)
const first = Number(process.argv[3] ?? 1)
const lanes = Number(process.argv[4] ?? 4)

const began = performance.now()
let next = first
let total: Tally | null = null
await Promise.all(
  Array.from({ length: Math.min(lanes, runs) }, async () => {
    const lane = await openLane()
    while (next < first + runs) {
      const tally = await lane.run(next++)
      total = total === null ? tally : addTallies(total, tally)
    }
    await lane.close()
  }),
)
const seconds = (performance.now() - began) / 1000
console.log(
  `${runs} runs from SEED=${first} in ${seconds.toFixed(0)} s, ${(seconds / runs).toFixed(2)} s a run`,
)
console.log(total)
