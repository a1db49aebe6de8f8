// Two agents mirror two folders in which tools, git, mounts, full disks and kills do what they do; each run has a seed of
// its own, SEED and on. docs/mirror.md says what holds.
//   npm run proof -- mirror [RUNS] [SEED] [AT_ONCE]
import { torture } from '../support/mirror/torture/run.ts'
import { canMount } from '../support/mirror/torture/side.ts'

const runs = Number(process.argv[2] ?? 500)
const first = Number(process.argv[3] ?? 1)
const atOnce = Number(process.argv[4] ?? 2)

if (!canMount) console.log('nothing can be mounted here: no mounts, no full disks')
const total = { acts: 0, kills: 0, bad: 0 }
const began = Date.now()
const seeds = Array.from({ length: runs }, (_, i) => first + i).values()
const lane = async (): Promise<void> => {
  for (const seed of seeds) {
    const { acts, kills, excused, files, faults, trace, untilSame } = await torture(seed)
    total.acts += acts
    total.kills += kills
    console.log(
      `SEED=${seed}: ${acts} operations, ${kills} kills, ${files} files, ${excused} lines excused; as they are to be after ${(untilSame / 1000).toFixed(1)} s; faults: ${faults.length}`,
    )
    if (faults.length === 0) continue
    total.bad++
    process.exitCode = 1
    console.log(`  ${faults.join('\n  ')}\n  what was done:\n    ${trace.join('\n    ')}`)
  }
}
await Promise.all(Array.from({ length: atOnce }, lane))
console.log(
  `${runs} runs, ${total.acts} operations, ${total.kills} kills, ${((Date.now() - began) / 60_000).toFixed(1)} min: ${total.bad} runs with faults`,
)
