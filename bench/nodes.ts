import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { Client } from 'pg'
import * as Y from 'yjs'
import { ownPort } from '../scripts/own-port.ts'
import { findPostgres, startPostgres } from '../scripts/postgres/postgres.ts'
import { rowsOf } from '../sync-server/storage/postgres/rows.ts'
import * as sql from '../sync-server/storage/postgres/statements.ts'
import { load, makeData } from './cold-load.ts'
import type { ColdLoadJob, ColdLoadResult } from './cold-load-client.ts'
import { clawlink, clawlinkOnSame, UNLIMITED } from './contenders.ts'
import { barrierAt, type Part } from './durable-write.ts'
import {
  cpuSeconds,
  program,
  type ServerProcess,
  startServer,
  startWorker,
  tempDir,
} from './programs.ts'
import { atMost, type Findings, milliseconds, spread, times } from './report.ts'
import { inRounds } from './rounds.ts'
import { median, pairedRatio } from './stats.ts'

const COMMITS = { rounds: 9, each: 200, bytes: 200 }
const NEWCOMERS = { shape: 'typed', updates: 100_000, rounds: 3 } as const
/** Rooms with a writer and a reader each; milliseconds of each measurement. */
const FORWARDED = { rounds: 9, rooms: 4, ms: 1_500 }
/** `gapMs`: between two writes of a room (milliseconds). */
const FLAT = { rounds: 5, nodes: [1, 2, 4], rooms: 4, ms: 3_000, gapMs: 20 }

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

interface Node extends ServerProcess {
  headers: { authorization: string }
}

const startNode = async (store: string): Promise<Node> => {
  const [port, data] = [await ownPort(), tempDir()]
  const server = await startServer([
    ...[program('clawlink-sync'), '--port', String(port), '--data', data, '--store', store],
    ...['--node-url', `http://127.0.0.1:${port}`, '--no-mdns', '--limit', UNLIMITED.join()],
  ])
  const { token } = JSON.parse(readFileSync(join(data, 'owner.json'), 'utf8')) as { token: string }
  return { ...server, headers: { authorization: `Bearer ${token}` } }
}

/** Makes workspaces that this node owns. */
const makeAt = async ({ port, headers }: Node, names: readonly string[]): Promise<void> => {
  for (const workspace of names) {
    const init = { method: 'POST', headers, body: JSON.stringify({ workspace }) }
    const answer = await fetch(`http://127.0.0.1:${port}/api/admin/add`, init)
    if (answer.status !== 200) throw new Error(await answer.text())
  }
}

/** Bytes that each write adds. */
const WRITTEN = 'x'.repeat(60)

/** Writers that go on from where they were. */
class Writers {
  readonly #docs: readonly Y.Doc[]
  #update: Uint8Array = new Uint8Array()

  constructor(count: number) {
    this.#docs = Array.from({ length: count }, () => new Y.Doc())
    for (const doc of this.#docs) {
      doc.on('update', (update: Uint8Array) => {
        this.#update = update
      })
    }
  }

  #next(n: number): Uint8Array {
    this.#docs[n]!.getArray('written').push([WRITTEN])
    return this.#update
  }

  /** Each writes for `ms`, one after another, at least `gapMs` apart. Resolves to the milliseconds that each write took. */
  async run(parts: readonly Part[], from: number, ms: number, gapMs = 0): Promise<number[]> {
    const took: number[] = []
    const until = performance.now() + ms
    const write = async (part: Part, n: number): Promise<void> => {
      while (performance.now() < until) {
        const since = performance.now()
        await part.write(this.#next(n))
        took.push(performance.now() - since)
        if (gapMs > 0) await pause(Math.max(0, gapMs - (performance.now() - since)))
      }
    }
    await Promise.all(parts.map((part, at) => write(part, from + at)))
    return took
  }
}

interface Forwarding {
  /** CPU per update (milliseconds): of the owner without forwarding, and of the node that forwards. */
  owner: number[]
  front: number[]
  /** The median write (milliseconds). */
  direct: number[]
  forwarded: number[]
}

const forwarding = async (store: string): Promise<Forwarding> => {
  const [owner, front] = [await startNode(store), await startNode(store)]
  const rooms = Array.from({ length: FORWARDED.rooms }, (_, n) => `room${n}`)
  await makeAt(owner, rooms)
  const at = (node: Node) =>
    Promise.all(rooms.map((room) => barrierAt(node.port, room, node.headers)))
  // A reader of each room, by the same way as its writer.
  const ways = new Map<Node, { parts: Part[]; readers: Part[] }>()
  for (const node of [owner, front]) ways.set(node, { parts: await at(node), readers: [] })
  const writers = new Writers(FORWARDED.rooms)
  const found: Forwarding = { owner: [], front: [], direct: [], forwarded: [] }
  await inRounds([owner, front], FORWARDED.rounds, async (node) => {
    const way = ways.get(node)!
    way.readers = await at(node)
    const before = cpuSeconds(node.pid)!
    const took = await writers.run(way.parts, 0, FORWARDED.ms)
    const cpu = ((cpuSeconds(node.pid)! - before) * 1_000) / took.length
    found[node === owner ? 'owner' : 'front'].push(cpu)
    found[node === owner ? 'direct' : 'forwarded'].push(median(took))
    for (const reader of way.readers) await reader.close()
  })
  for (const node of [front, owner]) await node.stop()
  return found
}

/** CPU of the nodes per update (milliseconds), by the count of nodes at work, each with as many rooms. */
const flat = async (store: string): Promise<Map<number, number[]>> => {
  const most = Math.max(...FLAT.nodes)
  const nodes: Node[] = []
  const parts: Part[][] = []
  for (let n = 0; n < most; n++) {
    const node = await startNode(store)
    const rooms = Array.from({ length: FLAT.rooms }, (_, room) => `flat${n}-${room}`)
    await makeAt(node, rooms)
    nodes.push(node)
    parts.push(await Promise.all(rooms.map((room) => barrierAt(node.port, room, node.headers))))
  }
  const writers = new Writers(most * FLAT.rooms)
  const found = await inRounds(FLAT.nodes, FLAT.rounds, async (count) => {
    const working = nodes.slice(0, count)
    const cpu = () => working.reduce((sum, { pid }) => sum + cpuSeconds(pid)!, 0)
    const before = cpu()
    const took = await writers.run(parts.slice(0, count).flat(), 0, FLAT.ms, FLAT.gapMs)
    return ((cpu() - before) * 1_000) / took.length
  })
  for (const node of nodes) await node.stop()
  return found
}

/** Several nodes on PostgreSQL. */
export const nodes = async (log: (line: string) => void): Promise<Findings> => {
  const postgresql = findPostgres()
  if (postgresql.bin === undefined) throw new Error(postgresql.why)
  const postgres = await startPostgres(postgresql.bin)
  const schema = (name: string): string => `${postgres.url}?schema=${name}`
  const { fenced, bare } = await commits(postgres.url)
  log(`commit: ${spread(fenced, milliseconds)} ms fenced, ${spread(bare, milliseconds)} ms without`)
  const ways = await forwarding(schema('b_forwarding'))
  log(`CPU: ${spread(ways.owner, milliseconds)} ms, to forward ${spread(ways.front, milliseconds)}`)
  const byCount = await flat(schema('b_flat'))
  for (const [count, cpu] of byCount)
    log(`${count} nodes: ${spread(cpu, milliseconds)} ms per update`)
  const { level, postgres: on } = await newcomers(postgres.url)
  log(`newcomer: ${spread(level, milliseconds)} ms, PostgreSQL ${spread(on, milliseconds)}`)
  await postgres.stop()
  const [one = [], ...more] = FLAT.nodes.map((count) => byCount.get(count)!)
  const later = median(ways.forwarded.map((ms, round) => ms - ways.direct[round]!))
  const row = (what: string, a: number[], b: number[]): string[] => [
    ...[what, spread(a, milliseconds), spread(b, milliseconds), times(pairedRatio(b, a))],
  ]
  return {
    title: 'Several nodes',
    method: METHOD,
    tables: [
      {
        caption: 'Medians and ranges over the rounds; the ratio is that of pairs',
        head: ['', 'without', 'with', 'ratio'],
        rows: [
          row('commit without and with the fence, p50, ms', bare, fenced),
          row('CPU of the owner, and to forward, ms per update', ways.owner, ways.front),
          row('write, direct and forwarded, p50, ms', ways.direct, ways.forwarded),
          row('newcomer to 100,000 updates, LevelDB and PostgreSQL, ms', level, on),
          ...more.map((cpu, at) =>
            row(`CPU at 1 and at ${FLAT.nodes[at + 1]} nodes, ms per update`, one, cpu),
          ),
        ],
      },
    ],
    targets: [
      atMost('commit, fenced over unfenced', pairedRatio(fenced, bare), 1.15),
      atMost(
        'CPU to forward an update over that of its owner',
        pairedRatio(ways.front, ways.owner),
        0.3,
      ),
      {
        claim: 'forwarding delays a write by ≤ 0.5 ms',
        measured: `${milliseconds(later)} ms`,
        passed: later <= 0.5,
      },
      atMost('newcomer, PostgreSQL over LevelDB', pairedRatio(on, level), 1.6),
      atMost('CPU per update, 4 nodes over 1', pairedRatio(more.at(-1)!, one), 1.1),
    ],
    samples: {
      'commit, fenced, ms': fenced,
      'commit, unfenced, ms': bare,
      'CPU of the owner, ms per update': ways.owner,
      'CPU to forward, ms per update': ways.front,
      'write, direct, p50, ms': ways.direct,
      'write, forwarded, p50, ms': ways.forwarded,
      'newcomer, LevelDB, ms': level,
      'newcomer, PostgreSQL, ms': on,
      ...Object.fromEntries(
        [...byCount].map(([n, cpu]) => [`CPU, ${n} nodes, ms per update`, cpu]),
      ),
    },
  }
}

const METHOD = `Nodes, PostgreSQL and clients on one machine. **Commit**: the statement that stores a record, with the lock of
the epoch's row and without, over one connection. **Forwarding**: four rooms of one node, each with a writer that waits for
its barrier and a reader, connected to the node or by another one; CPU by /proc. **Flat**: one, two and four nodes, each
with four rooms whose writers write every 20 ms; the CPU of the nodes, without PostgreSQL's. **Newcomer**: as in *Cold
load*, until the bytes are received.`
