import type { AwarenessJob, AwarenessResult } from './awareness-load.ts'
import { type Contender, clawlink, hocuspocus, reference } from './contenders.ts'
import { startWorker, tempDir, type Worker } from './programs.ts'
import { type Findings, integer, milliseconds, spread, type Target, times } from './report.ts'
import { earlier, inRounds } from './rounds.ts'
import { median, pairedRatio, quantile } from './stats.ts'

const ROUNDS = 5
const MEASURED = 4_000
/** Clients, and the most that half of the changes may take (ms). */
const LOADS = [
  { clients: 20, mostMs: 2 },
  { clients: 300, mostMs: 3 },
] as const
/** Of Hocuspocus' processor time, where it is worth counting. */
const MOST_CPU = 0.55

/** Presence: how long a change takes to be seen, and what that costs. */
export const awareness = async (log: (line: string) => void): Promise<Findings> => {
  const contenders: Contender[] = [reference, hocuspocus, ...earlier(), clawlink]
  const generator: Worker<AwarenessJob, AwarenessResult> = await startWorker('awareness-load.ts')
  const findings: Findings = {
    ...{ title: 'Presence', method: METHOD, tables: [], targets: [], samples: {} },
  }
  try {
    for (const { clients, mostMs } of LOADS) {
      const found = await inRounds(contenders, ROUNDS, async (contender) => {
        const server = await contender.start(tempDir())
        try {
          const { port, pid } = server
          const load = { clients, measured: MEASURED }
          return await generator.run({ wire: contender.wire, port, pid, ...load })
        } finally {
          await server.kill()
        }
      })
      const p50 = (one: Contender) => found.get(one)!.map(({ delays }) => quantile(delays, 0.5))
      const p95 = (one: Contender) => found.get(one)!.map(({ delays }) => quantile(delays, 0.95))
      const cpu = (one: Contender) => found.get(one)!.map(({ serverCpu }) => serverCpu)
      const name = `${clients} clients`
      findings.tables.push({
        caption: `**${name}** (${ROUNDS} rounds)`,
        head: ['', 'p50, ms', 'p95, ms', 'server, of a core'],
        rows: contenders.map((one) => [
          one.name,
          spread(p50(one), milliseconds),
          spread(p95(one), milliseconds),
          `${integer(median(cpu(one)) * 100)} %`,
        ]),
      })
      for (const one of contenders) {
        findings.samples[`${one.name}, ${name}, p50, ms`] = p50(one)
        findings.samples[`${one.name}, ${name}, CPU`] = cpu(one)
        log(`${name}: ${one.name} ${spread(p50(one), milliseconds)} ms, ${median(cpu(one))}`)
      }
      findings.targets.push(within(name, median(p50(clawlink)), mostMs))
      if (clients < 100) continue
      const share = pairedRatio(cpu(clawlink), cpu(hocuspocus))
      findings.targets.push({
        claim: `${name}: at most ${MOST_CPU} × of ${hocuspocus.name}'s processor time`,
        measured: times(share),
        passed: share <= MOST_CPU,
      })
    }
  } finally {
    await generator.close()
  }
  return findings
}

const within = (name: string, ms: number, most: number): Target => ({
  claim: `${name}: half of the changes are seen within ${most} ms`,
  measured: `${milliseconds(ms)} ms`,
  passed: ms <= most,
})

const METHOD = `Clients of one room, each of which changes its awareness state once a second, evenly spread; the last one
only reads and notes how old each change is when it comes. All are sockets of one process.`
