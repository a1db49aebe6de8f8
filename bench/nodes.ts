import { Client } from 'pg'
import { findPostgres, startPostgres } from '../scripts/postgres/postgres.ts'
import { rowsOf } from '../sync-server/storage/postgres/rows.ts'
import * as sql from '../sync-server/storage/postgres/statements.ts'
import { load, makeData } from './cold-load.ts'
import type { ColdLoadJob, ColdLoadResult } from './cold-load-client.ts'
import { clawlink, clawlinkOnSame } from './contenders.ts'
import { FLAT, type Flat, type Forwarding, flat, forwarding } from './nodes-load.ts'
import { startWorker } from './programs.ts'
import {
  atMost,
  type Findings,
  milliseconds,
  spread,
  type Table,
  type Target,
  times,
} from './report.ts'
import { inRounds } from './rounds.ts'
import { median, pairedRatio } from './stats.ts'

const COMMITS = { rounds: 9, each: 200, bytes: 200 }
const NEWCOMERS = { shape: 'typed', updates: 100_000, rounds: 5 } as const
/** The same insert with the lock of the epoch's row, and without; milliseconds, the median per round. */
const commits = async (url: string): Promise<{ fenced: number[]; bare: number[] }> => {
  const schema = 'bench_commits'
  const client = new Client(url)
  await client.connect()
  await client.query(sql.createTables(schema, 'bench'))
  const { rows } = await client.query(sql.take(schema), ['bench', 'bench'])
  const { epoch } = rows[0]
  const fenced = sql.insertNew(schema)
  const always = 'with fence as materialized (select 1 where $1::bigint is not null)'
  const bare = `${always}${fenced.slice(fenced.indexOf(' insert into'))}`
  let n = 0
  const run = async (text: string): Promise<number> => {
    const took: number[] = []
    for (let i = 0; i < COMMITS.each; i++) {
      const value = Buffer.alloc(COMMITS.bytes, n)
      const key = `u:bench/${String(n++).padStart(12, '0')}`
      const { bytes, places } = rowsOf([{ type: 'put', key, value }], false)
      const name = text === fenced ? 'fenced' : 'bare'
      const since = performance.now()
      await client.query({ name, text, values: [epoch, bytes, ...places] })
      took.push(performance.now() - since)
    }
    return median(took)
  }
  const found = await inRounds([fenced, bare], COMMITS.rounds, run)
  await client.end()
  return { fenced: found.get(fenced)!, bare: found.get(bare)! }
}

/** A newcomer to 100,000 updates: milliseconds until it has received them. */
const newcomers = async (url: string): Promise<{ level: number[]; postgres: number[] }> => {
  const on = clawlinkOnSame(url)
  const builder = await startWorker<ColdLoadJob, ColdLoadResult>('cold-load-client.ts')
  const { data, content } = await makeData(builder, NEWCOMERS, [clawlink, on])
  await builder.close()
  const one = (contender: typeof on) => load(contender, data.get(contender)!, content, false)
  const found = await inRounds([clawlink, on], NEWCOMERS.rounds, one)
  return { level: found.get(clawlink)!, postgres: found.get(on)! }
}

interface Figures {
  commits: { fenced: number[]; bare: number[] }
  ways: Forwarding
  flat: Flat
  newcomers: { level: number[]; postgres: number[] }
}

const MOST = Math.max(...FLAT.nodes)
/** Updates per second that a node's writers ask for. */
const ASKED = (FLAT.rooms * 1_000) / FLAT.gapMs

/** Several nodes on PostgreSQL. */
export const nodes = async (log: (line: string) => void): Promise<Findings> => {
  const postgresql = findPostgres()
  if (postgresql.bin === undefined) throw new Error(postgresql.why)
  const postgres = await startPostgres(postgresql.bin)
  const schema = (name: string): string => `${postgres.url}?schema=${name}`
  const told = async <T>(work: Promise<T>, series: (found: T) => Record<string, number[]>) => {
    const found = await work
    const figures = Object.entries(series(found))
    log(figures.map(([name, values]) => `${name} ${spread(values, milliseconds)}`).join(' · '))
    return found
  }
  const figures: Figures = {
    commits: await told(commits(postgres.url), (found) => ({ ...found })),
    ways: await told(forwarding(schema('b_forwarding')), (found) => ({ ...found })),
    flat: await told(flat(schema), flatSeries),
    newcomers: await told(newcomers(postgres.url), (found) => ({ ...found })),
  }
  await postgres.stop()
  return {
    title: 'Several nodes',
    method: METHOD,
    tables: tablesOf(figures),
    targets: targetsOf(figures),
    samples: samplesOf(figures),
  }
}

const flatSeries = ({ cpu, rates, apart, rest }: Flat): Record<string, number[]> => ({
  ...Object.fromEntries([...cpu].map(([n, of]) => [`CPU, ${n} nodes, ms per update`, of])),
  [`CPU, ${MOST} nodes of as many clusters, ms per update`]: apart,
  'CPU at rest, ms per second': rest,
  ...Object.fromEntries(
    [...rates].map(([n, of]) => [`updates per second and node, ${n} nodes`, of]),
  ),
})

const samplesOf = ({ commits, ways, flat, newcomers }: Figures): Findings['samples'] => ({
  'commit, fenced, ms': commits.fenced,
  'commit, unfenced, ms': commits.bare,
  'CPU of the owner, ms per update': ways.owner,
  'CPU to forward, ms per update': ways.front,
  'CPU of a bare pipe, ms per update': ways.pipe,
  'write, direct, p50, ms': ways.direct,
  'write, forwarded, p50, ms': ways.forwarded,
  'write, by a bare pipe, p50, ms': ways.piped,
  'newcomer, LevelDB, ms': newcomers.level,
  'newcomer, PostgreSQL, ms': newcomers.postgres,
  ...flatSeries(flat),
})

const tablesOf = ({ commits, ways, flat, newcomers }: Figures): Table[] => {
  const row = (what: string, a: number[], b: number[]): string[] => [
    ...[what, spread(a, milliseconds), spread(b, milliseconds), times(pairedRatio(b, a))],
  ]
  const [one = [], ...more] = FLAT.nodes.map((count) => flat.cpu.get(count)!)
  const rate = (count: number): string => spread(flat.rates.get(count)!, milliseconds)
  return [
    {
      caption: 'Medians and ranges over the rounds; the ratio is that of pairs',
      head: ['', 'without', 'with', 'ratio'],
      rows: [
        row('commit without and with the fence, p50, ms', commits.bare, commits.fenced),
        row('CPU of the owner, and to forward, ms per update', ways.owner, ways.front),
        row('the same of the owner and a bare pipe', ways.owner, ways.pipe),
        row('CPU of a bare pipe, and to forward', ways.pipe, ways.front),
        row('write, direct and forwarded, p50, ms', ways.direct, ways.forwarded),
        row('the same by a bare pipe', ways.direct, ways.piped),
        row(
          'newcomer to 100,000 updates, LevelDB and PostgreSQL, ms',
          newcomers.level,
          newcomers.postgres,
        ),
        ...more.map((cpu, at) =>
          row(`CPU at 1 and at ${FLAT.nodes[at + 1]} nodes, ms per update`, one, cpu),
        ),
        row(`CPU at ${MOST} nodes of ${MOST} clusters and of one`, flat.apart, flat.cpu.get(MOST)!),
        [`updates per second and node, at 1 and at ${MOST}, of ${ASKED}`, rate(1), rate(MOST), ''],
        ['CPU of a node at rest, ms per second', spread(flat.rest, milliseconds), '', ''],
      ],
    },
  ]
}

const targetsOf = ({ commits, ways, flat, newcomers }: Figures): Target[] => {
  const later = median(ways.forwarded.map((ms, round) => ms - ways.direct[round]!))
  const most = flat.cpu.get(MOST)!
  return [
    atMost('commit, fenced over unfenced', pairedRatio(commits.fenced, commits.bare), 1.15),
    atMost(
      'CPU to forward an update over that of its owner',
      pairedRatio(ways.front, ways.owner),
      0.3,
    ),
    atMost(
      'CPU to forward an update over that of a bare pipe',
      pairedRatio(ways.front, ways.pipe),
      1.1,
    ),
    {
      claim: 'forwarding delays a write by ≤ 0.5 ms',
      measured: `${milliseconds(later)} ms`,
      passed: later <= 0.5,
    },
    atMost(
      'newcomer, PostgreSQL over LevelDB',
      pairedRatio(newcomers.postgres, newcomers.level),
      1.6,
    ),
    atMost('CPU per update, 4 nodes over 1', pairedRatio(most, flat.cpu.get(1)!), 1.1),
  ]
}

const METHOD = `Nodes, PostgreSQL and clients on one machine. Each process has seen 5,000 updates before it is
measured: until V8 has compiled what they run, an update costs up to three times as much, and a node that had worked
more often than another would look cheaper. Each write sets a key, so that documents stay small. **Commit**: the
statement that stores a record, with the lock of the epoch's row and without, over one connection. **Forwarding**:
four rooms of one node, each with a writer that waits for its barrier and a reader, connected to the node, by another
one, or by a process that does nothing but \`socket.pipe\` both ways, which is the least that a pipe costs in Node;
only the clients of the way that is measured are connected. CPU by /proc. **Flat**: four nodes with four rooms each,
whose writers write every 40 ms, so that two cores have time left for all four, PostgreSQL and the writers (the table
has the rate that came about): one node after another, two at a time, all at once, so that each part has the same
nodes and updates; the CPU of the nodes at work, without PostgreSQL's. Four nodes that do not know of each other, each
in a cluster of its own, tell what the shared machine costs from what a cluster costs. **Newcomer**: as in *Cold
load*, until the bytes are received.`
