import {
  type Contender,
  clawlink,
  coalesced,
  hocuspocus,
  reference,
  sendEach,
} from './contenders.ts'
import type { FanoutJob, FanoutResult } from './fanout-load.ts'
import { startWorker, tempDir, type Worker } from './programs.ts'
import { atLeast, type Findings, integer, spread, type Table, times } from './report.ts'
import { median, pairedRatio } from './stats.ts'

const CONTENDERS: readonly Contender[] = [sendEach, coalesced, reference, hocuspocus, clawlink]

export interface Load {
  clients: number
  writers: number
  /** Updates of each writer that are under way at a time. */
  underWay: number
  rounds: number
}
/** A writer that waits after 8 updates shows the time of the round trip; with 64 the servers are never idle. */
const LOADS: readonly Load[] = [
  { clients: 10, writers: 1, underWay: 8, rounds: 3 },
  { clients: 10, writers: 4, underWay: 8, rounds: 3 },
  { clients: 100, writers: 1, underWay: 8, rounds: 3 },
  { clients: 100, writers: 4, underWay: 8, rounds: 7 },
  { clients: 100, writers: 4, underWay: 64, rounds: 7 },
  { clients: 100, writers: 50, underWay: 8, rounds: 3 },
  { clients: 500, writers: 1, underWay: 8, rounds: 3 },
  { clients: 500, writers: 4, underWay: 8, rounds: 3 },
  { clients: 500, writers: 4, underWay: 64, rounds: 3 },
  { clients: 500, writers: 50, underWay: 8, rounds: 3 },
]
/** Where the targets are set. */
const TARGET = LOADS[4]!

interface Series {
  updates: number[]
  /** Updates per second of the server's CPU time: what is left to see when others use the machine too. */
  perCpu: number[]
  serverCpu: number[]
  loadCpu: number[]
}

export const measure = async (
  generator: Worker<FanoutJob, FanoutResult>,
  contender: Contender,
  { clients, writers, underWay }: Load,
): Promise<FanoutResult> => {
  const server = await contender.start(tempDir())
  try {
    const { wire } = contender
    const { port, pid } = server
    return await generator.run({ wire, port, pid, clients, writers, underWay })
  } catch (cause) {
    const what = `${contender.name}: ${(cause as Error).message}`
    throw new Error(`${what}\n${server.output()}`, { cause })
  } finally {
    await server.kill()
  }
}

const runLoad = async (
  generator: Worker<FanoutJob, FanoutResult>,
  load: Load,
): Promise<Map<Contender, Series>> => {
  const found = new Map<Contender, Series>()
  for (const contender of CONTENDERS) {
    found.set(contender, { updates: [], perCpu: [], serverCpu: [], loadCpu: [] })
  }
  for (let round = 0; round < load.rounds; round++) {
    for (const [contender, series] of found) {
      const result = await measure(generator, contender, load)
      const rate = result.updates / result.seconds
      series.updates.push(rate)
      series.serverCpu.push(result.serverCpu ?? Number.NaN)
      series.perCpu.push(rate / (result.serverCpu ?? Number.NaN))
      series.loadCpu.push(result.loadCpu)
    }
  }
  return found
}

const nameOf = ({ clients, writers, underWay }: Load): string =>
  `${clients} clients, ${writers === 1 ? '1 writer' : `${writers} writers`}, ${underWay} under way each`

const percent = (share: number): string => (Number.isNaN(share) ? '–' : `${integer(share * 100)} %`)

const tableOf = (load: Load, found: Map<Contender, Series>): Table => {
  const ours = found.get(clawlink)!
  return {
    caption: `**${nameOf(load)}** (${load.rounds} rounds)`,
    head: [
      '',
      'updates/s to every client',
      'clawlink-sync is',
      'updates per CPU second',
      'clawlink-sync is',
      'CPU server · load',
    ],
    rows: [...found].map(([contender, series]) => [
      contender.name,
      spread(series.updates, integer),
      contender === clawlink ? '' : times(pairedRatio(ours.updates, series.updates)),
      integer(median(series.perCpu)),
      contender === clawlink ? '' : times(pairedRatio(ours.perCpu, series.perCpu)),
      `${percent(median(series.serverCpu))} · ${percent(median(series.loadCpu))}`,
    ]),
  }
}

export const fanout = async (log: (line: string) => void): Promise<Findings> => {
  const generator = await startWorker<FanoutJob, FanoutResult>('fanout-load.ts')
  const findings: Findings = {
    title: 'Fan-out',
    method: METHOD,
    tables: [],
    targets: [],
    samples: {},
  }
  try {
    // The generator's own code gets compiled; nothing of it counts.
    await measure(generator, coalesced, TARGET)
    for (const load of LOADS) {
      const found = await runLoad(generator, load)
      findings.tables.push(tableOf(load, found))
      const name = nameOf(load)
      for (const [contender, { updates, perCpu }] of found) {
        findings.samples[`${contender.name}, ${name}, updates/s`] = updates
        findings.samples[`${contender.name}, ${name}, updates per CPU second`] = perCpu
        log(`${name}: ${contender.name} ${spread(updates, integer)} updates/s`)
      }
      if (load !== TARGET) continue
      const over = (peer: Contender) =>
        pairedRatio(found.get(clawlink)!.updates, found.get(peer)!.updates)
      findings.targets = [
        atLeast(`${name}: clawlink-sync over ${hocuspocus.name}`, over(hocuspocus), 1.3),
        atLeast(`${name}: clawlink-sync over ${reference.name}`, over(reference), 5),
        atLeast(`${name}: clawlink-sync over ${coalesced.name}`, over(coalesced), 0.5),
      ]
    }
  } finally {
    await generator.close()
  }
  return findings
}

const METHOD = `How many updates a second reach **every** other client of one room. Writers send real Yjs updates of
50–200 bytes; each has a number of them under way and sends the next when the client that connected last, not a
writer, has received one of its own (closed loop). With 8 under way the time of one round trip decides, and there
clawlink-sync's includes an fsync; with 64 the server always has work, which is what the targets are set for. A run ends when every client has received everything; a run in which one gets
too few or too many fails, and what the last client got while warming up is applied with Yjs and compared. All
contenders face the same load generator, one process with raw sockets that counts updates and decodes nothing, and
each gets a fresh process and an empty store for each run. clawlink-sync applies and fsyncs every update before
anyone sees it; Hocuspocus (Database extension on LevelDB, default debounce) and the y-websocket reference design
(every update to LevelDB, never fsync'd) apply it and store it later; the bare \`ws\` servers only relay bytes and
are there as floors. CPU is what the server's and the load generator's process used, of one core.`
