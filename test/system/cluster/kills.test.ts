import { expect, it } from 'vitest'
import { findPostgres } from '../../../scripts/postgres/postgres.ts'
import * as faults from '../../support/cluster/faults.ts'
import { runCluster } from '../../support/cluster/runs.ts'

const { bin, why } = findPostgres()
if (bin === undefined) console.log(`skipped: a cluster whose nodes are killed: ${why}`)

// A sample of `npm run proof -- cluster`.
it.skipIf(bin === undefined)(
  '[CLUSTER-1] [CLUSTER-2] [CLUSTER-3] nodes are killed and stopped: nothing is lost, nothing is there twice, a task has one owner',
  async () => {
    const report = await runCluster({
      ...{ bin: bin!, nodes: 3, standby: 'none', workspaces: 3, writers: 1, pauseMs: 60 },
      ...{ hasOthers: true, faults: [...faults.kills(3, 1_000), faults.stopped(0, 7_000)] },
    })
    console.log(JSON.stringify(report))
    const { acknowledged, shown, grants, messages } = report
    expect(Math.min(acknowledged, shown, grants, messages)).toBeGreaterThan(0)
    expect(report).toMatchObject({ lost: 0, lostShown: 0, twice: 0, wrong: [], isWell: true })
  },
)
