import { deepStrictEqual, ok } from 'node:assert'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { build } from 'esbuild'
import type { BroadcastEntry } from '../../../workspace/document/schema.ts'
import { liveDoc, seeded, until } from '../client.ts'
import { startProxy } from '../proxy.ts'
import { makeWorkspaces, root, type Server, startServer, tempDir } from '../server.ts'
import type { Order, Said } from './worker.ts'

const AGENTS = ['a-1', 'a-2', 'a-3']
const STEPS = 40
const SKEW_MS = 10 * 60_000
/** Broadcasts before the agents come, and in the burst that the server then trims. */
const BEFORE = 1_950
const BURST = 1_100

/** What happened in a run, to show that something did. */
export interface Tally {
  messages: number
  deliveries: number
  handedAgain: number
  kills: number
  serverKills: number
  cuts: number
  bursts: number
}

/** One agent of a run: its process, which may be killed and started again, and what it has said in all its lives. */
class Worker {
  readonly sent = new Set<string>()
  /** How often each message was handed out. */
  readonly handed = new Map<string, number>()
  readonly acked = new Set<string>()
  readonly wrong: string[] = []
  readonly #args: readonly string[]
  #child!: ChildProcess
  #ordered = 0
  #done = 0
  #lines = 0
  #onLine = () => {}
  /** Handed out, but not acknowledged when its process was killed: may come again. */
  #open: string[] = []

  constructor(args: readonly string[]) {
    this.#args = args
    this.start()
  }

  start(): void {
    this.#ordered = 0
    this.#done = 0
    this.#child = spawn(process.execPath, this.#args, { stdio: ['pipe', 'pipe', 'inherit'] })
    this.#child.stdin!.on('error', () => {})
    createInterface(this.#child.stdout!).on('line', (line) => this.#hear(JSON.parse(line) as Said))
  }

  #hear(said: Said): void {
    this.#lines++
    setImmediate(() => this.#onLine())
    if ('done' in said) this.#done = said.done
    else if ('sent' in said) this.sent.add(said.sent)
    else if ('acked' in said) {
      for (const id of said.acked) this.acked.add(id)
      this.#open = []
    } else {
      if (new Set(said.handed).size < said.handed.length) this.wrong.push(`twice in ${said.handed}`)
      for (const id of said.handed) {
        const times = this.handed.get(id) ?? 0
        if (this.acked.has(id)) this.wrong.push(`${id} after it was acknowledged`)
        if (times > 0 && !this.#open.includes(id)) this.wrong.push(`${id} again`)
        this.handed.set(id, times + 1)
      }
      this.#open = said.handed
    }
  }

  order(order: Order): void {
    this.#ordered++
    this.#child.stdin!.write(`${JSON.stringify(order)}\n`)
  }

  /** Resolves when everything ordered was done. */
  idle(): Promise<void> {
    return until('the agent is idle', () => this.#done === this.#ordered, 60_000)
  }

  /** Resolves when it has said so many things more, or has nothing left to do. */
  says(count: number): Promise<void> {
    const upTo = this.#lines + count
    return new Promise((resolve) => {
      this.#onLine = () => {
        if (this.#lines >= upTo || this.#done === this.#ordered) resolve()
      }
      this.#onLine()
    })
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await once(this.#child, 'close')
  }
}

const entry = (id: string): BroadcastEntry =>
  ({
    id,
    from: 'a-0',
    topic: 'general',
    tags: [],
    content: '',
    at: Date.now(),
  }) as unknown as BroadcastEntry

/** Where runs are made one after another: a server, which is killed now and then, and a workspace a run. */
export const openLane = async () => {
  const bundle = join(root, 'node_modules/.cache/clawlink', `delivery-worker-${process.pid}.mjs`)
  await build({
    entryPoints: [join(root, 'test/support/delivery/worker.ts')],
    outfile: bundle,
    bundle: true,
    platform: 'node',
    format: 'esm',
    external: ['level'],
    minify: true,
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url)",
    },
    logLevel: 'warning',
  })
  let server: Server = await startServer({ args: ['--log-level', 'error'] })
  const { port, data, sync } = server
  const restart = async (): Promise<void> => {
    await server.kill()
    server = await startServer({ port, data, args: ['--log-level', 'error'] })
  }

  const run = async (seed: number): Promise<Tally> => {
    const random = seeded(seed)
    const below = (n: number) => Math.floor(random() * n)
    const workspace = `run-${seed}`
    await makeWorkspaces(server.url, workspace)
    const tally = {
      messages: 0,
      deliveries: 0,
      handedAgain: 0,
      kills: 0,
      serverKills: 0,
      cuts: 0,
      bursts: 0,
    }
    const proxies = await Promise.all(AGENTS.map(() => startProxy(port)))
    const trims = seed % 4 === 0
    const burst = async (from: number, count: number): Promise<void> => {
      const { client, doc } = await liveDoc(`${sync}/${workspace}`)
      doc
        .getArray('broadcasts')
        .push(Array.from({ length: count }, (_, i) => entry(`m-x${from + i}`)))
      await client.barrier()
      await client.close()
    }
    if (trims) await burst(0, BEFORE)

    const workers = AGENTS.map((id, i) => {
      const skew = String(below(2 * SKEW_MS) - SKEW_MS)
      return new Worker([bundle, tempDir('delivery'), proxies[i]!.url, workspace, id, skew])
    })
    const wanted = new Map<string, string | null>()
    try {
      for (const worker of workers) worker.order({ do: 'join' })
      await Promise.all(workers.map((worker) => worker.idle()))
      for (let step = 0; step < STEPS; step++) {
        const i = below(AGENTS.length)
        const dice = below(100)
        const worker = workers[i]!
        if (dice < 55) {
          const to = AGENTS[(i + 1 + below(2)) % 3]!
          const kind = below(3)
          const id = `${kind === 0 ? 't' : 'm'}-${step}`
          wanted.set(id, kind === 2 ? null : to)
          worker.order({ do: 'send', id, to: kind === 2 ? null : to })
        } else if (dice < 75) worker.order({ do: 'poll' })
        else if (dice < 83) {
          if (below(3) > 0) {
            worker.order({ do: 'poll' })
            await worker.says(below(3))
          }
          await worker.kill()
          worker.start()
          tally.kills++
        } else if (dice < 85) {
          await restart()
          tally.serverKills++
        } else if (dice < 91) {
          proxies[i]!.cut()
          tally.cuts++
        } else proxies[i]!.heal()
        if (trims && step === STEPS / 2) {
          await burst(BEFORE, BURST)
          tally.bursts++
        }
        await worker.says(below(3))
      }
      for (const proxy of proxies) proxy.heal()
      for (const what of ['settle', 'settle', 'poll', 'poll'] as const) {
        for (const worker of workers) worker.order({ do: what })
        await Promise.all(workers.map((worker) => worker.idle()))
      }
    } finally {
      await Promise.all(workers.map((worker) => worker.kill()))
      for (const proxy of proxies) proxy.close()
    }

    const where = `SEED=${seed}`
    const sent = new Set(workers.flatMap((worker) => [...worker.sent]))
    for (let i = 0; i < tally.bursts * BURST; i++) {
      sent.add(`m-x${BEFORE + i}`)
      wanted.set(`m-x${BEFORE + i}`, null)
    }
    for (const [i, worker] of workers.entries()) {
      const me = AGENTS[i]!
      deepStrictEqual(worker.wrong, [], where)
      for (const id of sent) {
        const to = wanted.get(id)
        if (worker.sent.has(id) || (to !== null && to !== me)) continue
        // Acknowledged or not: a kill may have come after that was on disk, and before it was said.
        ok(worker.handed.has(id), `${where}: ${id} for ${to ?? 'all'} did not reach ${me}`)
        tally.deliveries++
      }
      for (const [id, times] of worker.handed) {
        const to = wanted.get(id)
        ok(to === undefined || to === null || to === me, `${where}: ${id} for ${to} reached ${me}`)
        tally.handedAgain += times - 1
      }
    }
    tally.messages = sent.size
    return tally
  }
  return { run, close: () => server.kill() }
}

export const addTallies = (a: Tally, b: Tally): Tally =>
  Object.fromEntries(
    Object.entries(a).map(([key, count]) => [key, count + b[key as keyof Tally]]),
  ) as unknown as Tally
