import { type Contender, clawlink, durable, hocuspocus, reference } from './contenders.ts'
import { startWorker, tempDir, type Worker } from './programs.ts'
import { atLeast, type Findings, integer, spread, times } from './report.ts'
import type { RoomsJob, RoomsResult } from './rooms-load.ts'
import { earlier, inRounds } from './rounds.ts'
import { median, pairedRatio } from './stats.ts'

const ROOMS = 200
const UNDER_WAY = 2
const ROUNDS = 7
/** A short run finds a young V8, a long one what a busy day finds (ms). */
const LENGTHS = { short: 700, long: 4_000 }

const measure = async (
  generator: Worker<RoomsJob, RoomsResult>,
  contender: Contender,
  measured: number,
): Promise<RoomsResult> => {
  const server = await contender.start(tempDir())
  try {
    const { port, pid } = server
    const load = { rooms: ROOMS, underWay: UNDER_WAY, measured }
    return await generator.run({ wire: contender.wire, port, pid, ...load })
  } finally {
    await server.kill()
  }
}

/** Updates per second, and per second of the server's CPU time. */
const rateOf = ({ updates, seconds }: RoomsResult): number => updates / seconds
const perCpuOf = (result: RoomsResult): number => rateOf(result) / (result.serverCpu ?? Number.NaN)

/** Many rooms of two: what a turn and a room cost, where nothing can be shared among readers. */
export const rooms = async (log: (line: string) => void): Promise<Findings> => {
  const contenders = [durable, reference, hocuspocus, ...earlier(), clawlink]
  const generator = await startWorker<RoomsJob, RoomsResult>('rooms-load.ts')
  const findings: Findings = {
    ...{ title: 'Many small rooms', method: METHOD, tables: [], targets: [], samples: {} },
  }
  try {
    await measure(generator, durable, LENGTHS.short)
    for (const [name, length] of Object.entries(LENGTHS)) {
      const found = await inRounds(contenders, ROUNDS, (one) => measure(generator, one, length))
      const rates = new Map([...found].map(([one, results]) => [one, results.map(rateOf)]))
      const perCpu = new Map([...found].map(([one, results]) => [one, results.map(perCpuOf)]))
      const [ours, oursPerCpu] = [rates.get(clawlink)!, perCpu.get(clawlink)!]
      findings.tables.push({
        caption: `${name} runs of ${length / 1000} s (${ROUNDS} rounds)`,
        head: ['', 'updates/s', 'clawlink-sync is', 'updates per CPU second', 'clawlink-sync is'],
        rows: contenders.map((one) => [
          one.name,
          spread(rates.get(one)!, integer),
          one === clawlink ? '' : times(pairedRatio(ours, rates.get(one)!)),
          integer(median(perCpu.get(one)!)),
          one === clawlink ? '' : times(pairedRatio(oursPerCpu, perCpu.get(one)!)),
        ]),
      })
      for (const one of contenders) {
        findings.samples[`${one.name}, ${name}, updates/s`] = rates.get(one)!
        log(`${name}: ${one.name} ${spread(rates.get(one)!, integer)} updates/s`)
      }
      const over = (peer: Contender) => pairedRatio(ours, rates.get(peer)!)
      findings.targets.push(
        atLeast(`${name}: of the durable floor`, over(durable), 0.6),
        atLeast(`${name}: over ${hocuspocus.name}`, over(hocuspocus), 2),
        atLeast(`${name}: over the ${reference.name}`, over(reference), 1.3),
      )
    }
  } finally {
    await generator.close()
  }
  return findings
}

const METHOD = `${ROOMS} rooms with a writer and a reader each; a writer has ${UNDER_WAY} updates of 50–200 bytes under
way and sends the next when its reader has one. The durable floor relays bytes within a room after one fsync'd LevelDB
batch of what came meanwhile, and has neither documents nor members. Its peers store later than they send.`
