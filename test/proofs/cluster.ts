import { findPostgres } from '../../scripts/postgres/postgres.ts'
import { runSeed, seeded } from '../support/client.ts'
import * as faults from '../support/cluster/faults.ts'
import { Namespaces } from '../support/cluster/namespaces.ts'
import { type Report, runCluster } from '../support/cluster/runs.ts'

/**
 * Three nodes, PostgreSQL with a synchronous standby, links, stock and plain clients by any node, and all that can fail:
 * `npm run proof -- cluster [CHAOS_SECONDS [STOP_SECONDS]]`.
 */

const chaosMs = Number(process.argv[2] ?? 600) * 1_000
const stopMs = Number(process.argv[3] ?? 62) * 1_000
const found = findPostgres()
if (found.bin === undefined) throw new Error(found.why)
const { bin } = found
const random = seeded(runSeed('cluster'))

const show = (title: string, { silence: _, ...report }: Report): void =>
  console.log(`${title}: ${JSON.stringify(report)}`)

const report = await runCluster({
  ...{ bin, nodes: 3, standby: 'synchronous', workspaces: 6, writers: 1, pauseMs: 60 },
  hasOthers: true,
  onStep: (line) => console.log(`  ${line}`),
  faults: [
    ...faults.kills(3, 3_000),
    faults.stopped(0, stopMs),
    faults.cutFromEngine(1, 15_000),
    faults.drained(2),
    faults.engineRestarts,
    faults.standbyAway(12_000),
    faults.chaos(chaosMs, random),
    faults.failover,
  ],
})
show('synchronous standby', report)

const apart = Namespaces.canBe
  ? await runCluster({
      ...{ bin, nodes: 3, standby: 'none', workspaces: 3, writers: 1, pauseMs: 80 },
      ...{ hasOthers: true, isApart: true, onStep: (line) => console.log(`  ${line}`) },
      faults: (['engine', 'node 2', 'client'] as const).map((whom) =>
        faults.partition(whom, 10_000),
      ),
    })
  : null
if (apart === null)
  console.log('partitions left out: this user or kernel has no network namespaces')
else show('partitions', apart)

const control = await runCluster({
  ...{ bin, nodes: 3, standby: 'asynchronous', workspaces: 6, writers: 2, pauseMs: 30 },
  ...{ hasOthers: false, faults: [faults.lateFailover] },
})
show('control, asynchronous standby, which must lose', control)

const isFree = ({ lost, lostShown, twice, wrong, isWell }: Report): boolean =>
  lost + lostShown + twice + wrong.length === 0 && isWell
const isGood = isFree(report) && (apart === null || isFree(apart))
if (!isGood) console.log('FAILED: something was lost, is there twice, or had two owners')
if (control.lost === 0)
  console.log('FAILED: the control lost nothing, so this proof would see nothing')
process.exitCode = isGood && control.lost > 0 ? 0 : 1
process.exit()
