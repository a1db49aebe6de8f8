import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import * as Y from 'yjs'
import { ownPort } from '../scripts/own-port.ts'
import { UNLIMITED } from './contenders.ts'
import { barrierAt, type Part } from './durable-write.ts'
import {
  bundle,
  cpuSeconds,
  program,
  type ServerProcess,
  startServer,
  tempDir,
} from './programs.ts'
import { inRounds } from './rounds.ts'
import { median } from './stats.ts'

/** Rooms with a writer and a reader each; milliseconds of each measurement. */
const FORWARDED = { rounds: 9, rooms: 4, ms: 1_500 }
/** `gapMs`: between two writes of a room (milliseconds). */
export const FLAT = { rounds: 4, nodes: [1, 2, 4], rooms: 4, ms: 2_000, gapMs: 40, restMs: 3_000 }
/**
 * Updates that each process has seen before it is measured: until V8 has compiled what they run, they cost several times
 * what they cost later.
 */
const WARM_UP = 5_000

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

/** Bytes that each write sets. */
const WRITTEN = 60

/**
 * Writers that go on from where they were. They set a key, so that documents stay small: an array that grows is copied by Yjs with
 * each update, and soon costs more than all else.
 */
class Writers {
  readonly #docs: readonly Y.Doc[]
  #update: Uint8Array = new Uint8Array()
  #count = 0

  constructor(count: number) {
    this.#docs = Array.from({ length: count }, () => new Y.Doc())
    for (const doc of this.#docs) {
      doc.on('update', (update: Uint8Array) => {
        this.#update = update
      })
    }
  }

  #next(n: number): Uint8Array {
    this.#docs[n]!.getMap('written').set('key', String(++this.#count).padEnd(WRITTEN, 'x'))
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

  async warm(parts: readonly Part[], from: number): Promise<void> {
    for (let done = 0; done < WARM_UP; ) done += (await this.run(parts, from, 500)).length
  }
}

/** CPU of processes so far (milliseconds). */
const cpuOf = (processes: readonly { pid: number }[]): number =>
  processes.reduce((sum, { pid }) => sum + cpuSeconds(pid)! * 1_000, 0)

export interface Forwarding {
  /** CPU per update (milliseconds): of the owner without forwarding, of the node that forwards, and of the bare pipe. */
  owner: number[]
  front: number[]
  pipe: number[]
  /** The median write (milliseconds). */
  direct: number[]
  forwarded: number[]
  piped: number[]
}

export const forwarding = async (store: string): Promise<Forwarding> => {
  const [owner, front] = [await startNode(store), await startNode(store)]
  const pipe = await startServer([await bundle('peers/pipe.ts'), String(owner.port)])
  const rooms = Array.from({ length: FORWARDED.rooms }, (_, n) => `room${n}`)
  await makeAt(owner, rooms)
  const at = ({ port }: ServerProcess) =>
    Promise.all(rooms.map((room) => barrierAt(port, room, owner.headers)))
  const found: Forwarding = {
    ...{ owner: [], front: [], pipe: [], direct: [], forwarded: [], piped: [] },
  }
  const writers = new Writers(FORWARDED.rooms)
  const ways = [
    { by: owner, cpu: found.owner, took: found.direct },
    { by: front, cpu: found.front, took: found.forwarded },
    { by: pipe, cpu: found.pipe, took: found.piped },
  ]
  // A writer and a reader of each room by one way at a time: the owner would send to those of the others, too.
  const connected = async <T>(
    by: ServerProcess,
    work: (parts: Part[]) => Promise<T>,
  ): Promise<T> => {
    const [parts, readers] = [await at(by), await at(by)]
    const done = await work(parts)
    for (const part of [...parts, ...readers]) await part.close()
    return done
  }
  for (const { by } of ways) await connected(by, (parts) => writers.warm(parts, 0))
  await inRounds(ways, FORWARDED.rounds, ({ by, cpu, took }) =>
    connected(by, async (parts) => {
      const before = cpuOf([by])
      const writes = await writers.run(parts, 0, FORWARDED.ms)
      cpu.push((cpuOf([by]) - before) / writes.length)
      took.push(median(writes))
    }),
  )
  await pipe.kill()
  for (const node of [front, owner]) await node.stop()
  return found
}

export interface Flat {
  /** CPU of the nodes per update (milliseconds), by the count of nodes at work, each with as many rooms. */
  cpu: Map<number, number[]>
  /** The same of the most nodes, each in a cluster of its own. */
  apart: number[]
  /** Updates per second and node that came about, by the count of nodes at work. */
  rates: Map<number, number[]>
  /** CPU of a node that has nothing to do (milliseconds per second). */
  rest: number[]
}

interface Working {
  node: Node
  parts: Part[]
  /** The first of its writers. */
  from: number
}

/** Nodes with rooms that they own and a writer of each, all equally warm. */
const workingNodes = async (stores: readonly string[], writers: Writers): Promise<Working[]> => {
  const working: Working[] = []
  for (const [n, store] of stores.entries()) {
    const node = await startNode(store)
    const rooms = Array.from({ length: FLAT.rooms }, (_, room) => `flat${n}-${room}`)
    await makeAt(node, rooms)
    const parts = await Promise.all(rooms.map((room) => barrierAt(node.port, room, node.headers)))
    working.push({ node, parts, from: n * FLAT.rooms })
  }
  for (const { parts, from } of working) await writers.warm(parts, from)
  return working
}

/**
 * The same nodes do the same work in each part: one after another, some at a time, all at once. `store` gives a database by
 * name.
 */
export const flat = async (store: (name: string) => string): Promise<Flat> => {
  const most = Math.max(...FLAT.nodes)
  const places = Array.from({ length: most }, (_, n) => n)
  const writers = new Writers(2 * most * FLAT.rooms)
  const all = await workingNodes(
    [...places.map(() => store('b_flat')), ...places.map((n) => store(`b_apart${n}`))],
    writers,
  )
  const [together, apart] = [all.slice(0, most), all.slice(most)]
  const nodes = together.map(({ node }) => node)
  const found: Flat = { cpu: new Map(), apart: [], rates: new Map(), rest: [] }
  const parts = [
    ...FLAT.nodes.map((count) => ({ working: together, count })),
    { working: apart, count: most },
  ]
  const figures = await inRounds(parts, FLAT.rounds, async ({ working, count }) => {
    let [cpu, updates] = [0, 0]
    for (let at = 0; at < most; at += count) {
      const now = working.slice(at, at + count)
      const run = ({ parts: of, from }: Working) => writers.run(of, from, FLAT.ms, FLAT.gapMs)
      const before = cpuOf(now.map(({ node }) => node))
      updates += (await Promise.all(now.map(run))).flat().length
      cpu += cpuOf(now.map(({ node }) => node)) - before
    }
    return { cpu: cpu / updates, rate: (updates * 1_000) / FLAT.ms / most }
  })
  for (let n = 0; n < FLAT.rounds; n++) {
    const before = cpuOf(nodes)
    await pause(FLAT.restMs)
    found.rest.push(((cpuOf(nodes) - before) * 1_000) / FLAT.restMs / most)
  }
  for (const [{ working, count }, of] of figures) {
    if (working === apart) {
      found.apart = of.map(({ cpu }) => cpu)
      continue
    }
    found.cpu.set(
      count,
      of.map(({ cpu }) => cpu),
    )
    found.rates.set(
      count,
      of.map(({ rate }) => rate),
    )
  }
  for (const { node } of all) await node.stop()
  return found
}
