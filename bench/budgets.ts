import { setTimeout as pause } from 'node:timers/promises'
import { member } from '../test/support/auth/members.ts'
import type { AttackJob } from '../test/support/limits/attacker.ts'
import { HOLDS, type HoldName, type Outcome } from '../test/support/limits/attacks.ts'
import { ownerToken, setToken } from '../test/support/server.ts'
import { memoryOf, program, startServer, startWorker, tempDir } from './programs.ts'
import { type Findings, integer, milliseconds } from './report.ts'
import { quantile } from './stats.ts'

/** Of each attack (milliseconds). */
const MS = 6_000
/** What the server may grow by in each (MiB), and how long a look at its health may take, or a request hold others up (milliseconds). */
const GROWTH = 200
const HEALTH_MS = 200
const HELD_UP_MS = 50
/** Between two looks (milliseconds), and requests of a kind (count). */
const EVERY_MS = 10
const REQUESTS = 5

const start = async () => {
  const data = tempDir()
  const server = await startServer([
    ...[program('clawlink-sync'), '--port', '0', '--data', data, '--log-level', 'error'],
  ])
  setToken(server.port, ownerToken(data))
  const url = `http://127.0.0.1:${server.port}`
  return { server, url, sync: `ws://127.0.0.1:${server.port}/sync` }
}
type Target = Awaited<ReturnType<typeof start>>

/** How long each of these took (milliseconds), one every EVERY_MS, until `isOver`. */
const looking = async (ask: () => Promise<unknown>, isOver: () => boolean): Promise<number[]> => {
  const times: number[] = []
  while (!isOver() || times.length < 20) {
    const began = performance.now()
    await ask()
    times.push(performance.now() - began)
    await pause(EVERY_MS)
  }
  return times
}

const text = (lines: number, words: number): string =>
  Array.from({ length: lines }, () => Math.floor(Math.random() * words).toString(36)).join('\n')

type Ask = (method: string, path: string, body?: object | string) => Promise<number>

/** Puts of one text after the other, which are made before. */
const puts = async (ask: Ask, key: string, make: () => string): Promise<() => Promise<number>> => {
  const bodies = Array.from({ length: REQUESTS + 1 }, () =>
    JSON.stringify({ key, content: make(), force: true }),
  )
  const put = () => ask('PUT', 'files/content', bodies.pop())
  await put()
  return put
}

/** Requests that took the whole server for long, each with what has to be there before. */
const COSTLY: Readonly<Record<string, (ask: Ask) => Promise<() => Promise<number>>>> = {
  'a put of 300,000 other lines (1.5 MB)': async (ask) => {
    return puts(ask, 'a', () => text(300_000, 1e6))
  },
  'a put of 1,000,000 other lines (2 MB)': async (ask) => {
    return puts(ask, 'b', () => text(1_000_000, 2))
  },
  'a read of what is not there, among 2,000 files': async (ask) => {
    for (let i = 0; i < 2_000; i++) {
      const key = `${'abcdefghij'.repeat(10)}/${i}`
      while ((await ask('PUT', 'files/content', { key, content: 'x' })) === 429) await pause(500)
    }
    return () => ask('GET', `files/content?key=${'abcdefghij'.repeat(50)}`)
  },
  'a list of 2,000 files': async (ask) => () => ask('GET', 'files'),
}

export const budgets = async (log: (line: string) => void): Promise<Findings> => {
  const attacker = await startWorker<AttackJob, Outcome>('../test/support/limits/attacker.ts')
  const samples: Record<string, number[]> = {}
  const memory: string[][] = []
  const grown: number[] = []
  const slowest: number[] = []
  for (const attack of Object.keys(HOLDS) as HoldName[]) {
    const target = await start()
    const agent = 'a-attacker0001'
    const { headers } = await member(target, agent)
    const { server, url, sync } = target
    const health = () => fetch(`${url}/health`).then((answer) => answer.text())
    const end = performance.now() + 1_000
    const quiet = await looking(health, () => performance.now() > end)
    const before = memoryOf(server.pid, 'VmRSS')
    let isOver = false
    const job = { attack, ms: MS, victim: { url, sync, port: server.port, agent, headers } }
    const attacking = attacker.run(job).finally(() => {
      isOver = true
    })
    const during = await looking(health, () => isOver)
    const outcome = await attacking
    const growth = (memoryOf(server.pid, 'VmHWM') - before) / 1024 / 1024
    await server.stop()
    samples[`${attack}: quiet`] = quiet
    samples[`${attack}: attacked`] = during
    grown.push(growth)
    slowest.push(Math.max(...during))
    const said = Object.entries(outcome).map(([what, count]) => `${what}: ${integer(count)}`)
    memory.push([
      ...[attack, integer(growth), milliseconds(Math.max(...quiet))],
      ...[milliseconds(Math.max(...during)), said.join(', ')],
    ])
    log(`${attack}: ${integer(growth)} MiB, health ${milliseconds(Math.max(...during))} ms`)
  }

  const [target, beside]: Target[] = await Promise.all([start(), start()])
  const { headers } = await member(target!, 'a-costly000001')
  const ask: Ask = async (method, path, body) => {
    const answer = await fetch(`${target!.url}/api/workspaces/default/${path}`, {
      method,
      headers: { ...headers, 'content-type': 'application/json' },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
    await answer.arrayBuffer()
    return answer.status
  }
  await ask('POST', 'register', { name: 'costly' })
  const agentsOf = async (one: Target) => {
    const other = await member(one, 'a-other0000001', 'write', 'other')
    return () =>
      fetch(`${one.url}/api/workspaces/other/agents`, { headers: other.headers }).then((answer) =>
        answer.arrayBuffer(),
      )
  }
  const [here, there] = [await agentsOf(target!), await agentsOf(beside!)]
  const rows: string[][] = []
  const p99: number[] = []
  for (const [name, prepare] of Object.entries(COSTLY)) {
    const request = await prepare(ask)
    let isOver = false
    const asking = (async () => {
      const statuses: number[] = []
      for (let i = 0; i < REQUESTS; i++) {
        statuses.push(await request())
        await pause(200)
      }
      isOver = true
      return statuses
    })()
    const [held, floor] = await Promise.all([
      looking(here, () => isOver),
      looking(there, () => isOver),
    ])
    samples[`${name}: others`] = held
    samples[`${name}: on a server beside`] = floor
    const over = quantile(held, 0.99) - quantile(floor, 0.99)
    p99.push(over)
    rows.push([
      ...[name, milliseconds(quantile(floor, 0.99)), milliseconds(quantile(held, 0.99))],
      ...[milliseconds(Math.max(...floor)), milliseconds(Math.max(...held))],
      (await asking).join(', '),
    ])
    log(
      `${name}: p99 ${milliseconds(quantile(held, 0.99))} ms, beside ${milliseconds(quantile(floor, 0.99))}`,
    )
  }
  await attacker.close()
  await Promise.all([target!.server.stop(), beside!.server.stop()])
  return {
    title: 'Budgets',
    method: METHOD,
    tables: [
      {
        caption: 'What is held for who does not send the rest, or takes nothing',
        head: ['attack', 'grown by, MiB', 'health quiet, ms', 'health attacked, ms', 'came to'],
        rows: memory,
      },
      {
        caption: 'What others, of another workspace, wait while one asks for what takes long (ms)',
        head: ['requests', 'p99 beside', 'p99', 'longest beside', 'longest', 'answered'],
        rows,
      },
    ],
    targets: [
      {
        claim: `each attack grows the server by at most ${GROWTH} MiB`,
        measured: `at most ${integer(Math.max(...grown))} MiB`,
        passed: Math.max(...grown) <= GROWTH,
      },
      {
        claim: `/health answers within ${HEALTH_MS} ms throughout`,
        measured: `at most ${milliseconds(Math.max(...slowest))} ms`,
        passed: Math.max(...slowest) <= HEALTH_MS,
      },
      {
        claim: `what takes long holds others up for at most ${HELD_UP_MS} ms more than on a server beside (p99)`,
        measured: `at most ${milliseconds(Math.max(...p99))} ms`,
        passed: Math.max(...p99) <= HELD_UP_MS,
      },
    ],
    samples,
  }
}

const METHOD = `Each attack has a server of its own, and takes ${MS / 1000} s; what the server grew by is its peak over what it had before. Its
health is asked for every ${EVERY_MS} ms meanwhile, on a connection that stays. What takes long is asked for ${REQUESTS} times by one agent, while a member of another workspace asks who
is there every ${EVERY_MS} ms, and one of an idle server beside at the same time: what that one waits is this machine's.`
