import { type Contender, clawlink, durable, hocuspocus, reference } from './contenders.ts'
import type { JoinsJob, JoinsResult } from './joins-load.ts'
import { startWorker, tempDir, type Worker } from './programs.ts'
import { type Findings, integer, spread, type Target, times } from './report.ts'
import { earlier, inRounds } from './rounds.ts'
import { pairedRatio } from './stats.ts'

const ROOMS = 1_000
const ROUNDS = 7
const KILOBYTE = 1_000

const atMost = (claim: string, ratio: number, most: number): Target => ({
  claim: `${claim} ≤ ${most} ×`,
  measured: times(ratio),
  passed: ratio <= most,
})

/** Many new workspaces at once: what a room costs before anything is written in it. */
export const joins = async (log: (line: string) => void): Promise<Findings> => {
  const contenders: Contender[] = [durable, reference, hocuspocus, ...earlier(), clawlink]
  const generator: Worker<JoinsJob, JoinsResult> = await startWorker('joins-load.ts')
  try {
    const found = await inRounds(contenders, ROUNDS, async (contender) => {
      const server = await contender.start(tempDir())
      try {
        const { port, pid } = server
        return await generator.run({ wire: contender.wire, port, pid, rooms: ROOMS })
      } catch (cause) {
        throw new Error(`${contender.name}: ${cause}\n${server.output()}`)
      } finally {
        await server.kill()
      }
    })
    const series = (one: Contender, read: (result: JoinsResult) => number): number[] =>
      found.get(one)!.map(read)
    const reads = [
      (one: JoinsResult) => one.ms,
      (one: JoinsResult) => one.cpuMs,
      (one: JoinsResult) => one.bytesEach / KILOBYTE,
    ] as const
    const row = (one: Contender): string[] => [
      one.name,
      ...reads.flatMap((read) => [
        spread(series(one, read), integer),
        one === clawlink ? '' : times(pairedRatio(series(clawlink, read), series(one, read))),
      ]),
    ]
    for (const one of contenders) log(row(one).join(' · '))
    const over = (read: (result: JoinsResult) => number): number =>
      pairedRatio(series(clawlink, read), series(hocuspocus, read))
    return {
      ...{ title: 'Join storm', method: METHOD },
      tables: [
        {
          caption: `${ROUNDS} rounds`,
          head: ['', 'ms', 'clawlink-sync is', 'server CPU ms', '… is', 'kB each', '… is'],
          rows: contenders.map(row),
        },
      ],
      targets: [
        atMost(`time of ${hocuspocus.name}`, over(reads[0]), 1),
        atMost(`bytes per socket of ${hocuspocus.name}`, over(reads[2]), 0.85),
      ],
      samples: Object.fromEntries(
        contenders.flatMap((one) => [
          [`${one.name}, ms`, series(one, reads[0])],
          [`${one.name}, CPU ms`, series(one, reads[1])],
          [`${one.name}, bytes each`, series(one, ({ bytesEach }) => bytesEach)],
        ]),
      ),
    }
  } finally {
    await generator.close()
  }
}

const METHOD = `${ROOMS} clients connect at once, each to a new workspace of its own, until the last one has what is in
it. The bare server, the reference and clawlink-sync let 4,096 connections wait to be accepted, Hocuspocus Node's 511: the
rest try again after a second. Credentials of clawlink-sync are made before the clock starts. clawlink-sync has each
workspace on disk, with fsync, before its first client is answered; its peers store later. kB is what the server's
resident memory grew by, per connection.`
