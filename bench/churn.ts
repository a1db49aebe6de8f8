import type { ChurnJob, ChurnResult } from './churn-load.ts'
import { type Contender, clawlink, hocuspocus, reference } from './contenders.ts'
import { startWorker, tempDir, type Worker } from './programs.ts'
import { atMost, type Findings, integer, spread, times } from './report.ts'
import { earlier, inRounds } from './rounds.ts'
import { median, pairedRatio } from './stats.ts'

const DAY = { workspaces: 1_000, visits: 6_000, atOnce: 16, updates: 10, parts: 4 } as const
const ROUNDS = 3
const MIB = 2 ** 20

/** Clients that come, write and go all day: whether memory levels off, and what an update costs that way. */
export const churn = async (log: (line: string) => void): Promise<Findings> => {
  const contenders: Contender[] = [reference, hocuspocus, ...earlier(), clawlink]
  const generator: Worker<ChurnJob, ChurnResult> = await startWorker('churn-load.ts')
  try {
    const found = await inRounds(contenders, ROUNDS, async (contender) => {
      const server = await contender.start(tempDir())
      try {
        const { port, pid } = server
        return await generator.run({ wire: contender.wire, port, pid, ...DAY })
      } catch (cause) {
        throw new Error(`${contender.name}: ${cause}\n${server.output()}`)
      } finally {
        await server.kill()
      }
    })
    const cost = (one: Contender): number[] =>
      found.get(one)!.map(({ cpuSeconds, delivered }) => (cpuSeconds / delivered) * 1e6)
    const after = (one: Contender, part: number): number[] =>
      found.get(one)!.map(({ memory }) => memory[part]! / MIB)
    const visits = (one: Contender): number[] =>
      found.get(one)!.map(({ seconds }) => DAY.visits / seconds)
    const row = (one: Contender): string[] => [
      one.name,
      spread(visits(one), integer),
      spread(cost(one), integer),
      one === clawlink ? '' : times(pairedRatio(cost(clawlink), cost(one))),
      Array.from({ length: DAY.parts }, (_, part) => integer(median(after(one, part)))).join(', '),
    ]
    for (const one of contenders) log(row(one).join(' · '))
    const growth = pairedRatio(after(clawlink, DAY.parts - 1), after(clawlink, DAY.parts - 2))
    return {
      ...{ title: 'A day of coming and going', method: METHOD },
      tables: [
        {
          caption: `${ROUNDS} rounds`,
          head: ['', 'visits/s', 'server CPU µs per update', 'clawlink-sync is', 'RSS MiB'],
          rows: contenders.map(row),
        },
      ],
      targets: [atMost('memory after the last quarter over that after the third', growth, 1.1)],
      samples: Object.fromEntries(
        contenders.flatMap((one) => [
          [`${one.name}, visits/s`, visits(one)],
          [`${one.name}, µs per update`, cost(one)],
          [`${one.name}, RSS MiB at the end`, after(one, DAY.parts - 1)],
        ]),
      ),
    }
  } finally {
    await generator.close()
  }
}

const METHOD = `${integer(DAY.visits)} visits to ${integer(DAY.workspaces)} workspaces, ${DAY.atOnce} at a time: a writer and
a reader come, the writer sends ${DAY.updates} updates of 50–200 bytes, and both go when the reader has them. Credentials
of clawlink-sync are made before the clock starts. The CPU time holds the connections and the loading of documents, per
update that was delivered. RSS is the server's after each quarter. Its peers store later than they send.`
