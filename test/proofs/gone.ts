// How long a link that is gone is still shown as present, and how soon one that slept is back, with the times that
// programs have when nobody changes them: to an agent that was there all the time, and to one that asks for the first
// time. One agent a second is killed, cut silently and then killed, or cut silently and stopped, in turn, so that they
// differ in where the server's heartbeat is. The stopped ones go on when all is quiet.
//   npm run proof -- gone [AGENTS]
import { ok } from 'node:assert'
import { agent, killLink, linkPid, registered } from '../support/agent.ts'
import { until } from '../support/client.ts'
import { type Network, startProxy } from '../support/proxy.ts'
import { startServer, tempDir } from '../support/server.ts'

const BOUND_MS = 35_000
/** Longer than an awareness state of a peer that says nothing is kept. */
const SLEEP_MS = 40_000
const KINDS = ['killed', 'cut and killed', 'cut and asleep'] as const
const agents = Number(process.argv[2] ?? 12)

// Who may join the server may join it by a proxy.
process.env.CLAWLINK_RUN_DIR = tempDir('run')
const server = await startServer({ args: ['--log-level', 'error'] })
const here = await registered(server.url, 'Here')
type One = typeof here & { proxy: Network; kind: (typeof KINDS)[number]; at: number }
const all: One[] = []
for (let i = 0; i < agents; i++) {
  const proxy = await startProxy(server.port)
  const one = await registered(proxy.url, `Agent-${i}`)
  all.push({ ...one, proxy, kind: KINDS[i % KINDS.length]!, at: Number.NaN })
}
const signal = (one: One, name: 'SIGSTOP' | 'SIGCONT') => process.kill(linkPid(one.home)!, name)
const passed = (since: number, ms: number) =>
  until('the time has passed', () => performance.now() > since + ms, ms + 1_000)

const lose = async (): Promise<void> => {
  const began = performance.now()
  for (const [i, one] of all.entries()) {
    await passed(began, i * 1_000)
    if (one.kind !== 'killed') one.proxy.stall()
    if (one.kind === 'cut and asleep') signal(one, 'SIGSTOP')
    else await killLink(one.home)
    one.at = performance.now()
  }
}

type Look = () => Promise<{ agent_id: string; status: string }[]>
const discover = async (who: typeof here) =>
  (await who.ask<{ agents: { agent_id: string; status: string }[] }>('discover')).agents
const byAgent: Look = () => discover(here)
const byNewcomer: Look = () => discover({ ...agent(server.url, undefined, 'alone'), id: '' })

/** Milliseconds from what happened to each of `ones` until `look` first showed it as `is`. */
const watch = async (look: Look, ones: readonly One[], is: readonly string[]) => {
  const times = new Map<One, number>()
  const see = async () => {
    const shown = await look()
    const now = performance.now()
    for (const one of ones) {
      const status = shown.find(({ agent_id }) => agent_id === one.id)?.status ?? ''
      if (now > one.at && is.includes(status) && !times.has(one)) times.set(one, now - one.at)
    }
    return times.size === ones.length
  }
  await until('all have been seen', see, agents * 1_000 + 3 * BOUND_MS)
  return times
}

let most = 0
const row = (label: string, times: readonly number[]): void => {
  const sorted = [...times].sort((a, b) => a - b)
  const shown = [sorted[0]!, sorted[sorted.length >> 1]!, sorted.at(-1)!]
  most = Math.max(most, ...sorted)
  console.log(`${label.padEnd(42)}${shown.map((ms) => (ms / 1_000).toFixed(1)).join(' · ')}`)
}
const rows = (what: string, kind: One['kind'], seen: ReadonlyMap<One, number>[]): void => {
  for (const [i, who] of ['an agent', 'a newcomer'].entries()) {
    const times = [...seen[i]!].filter(([one]) => one.kind === kind).map(([, ms]) => ms)
    row(`${what}, seen by ${who}`, times)
  }
}

console.log(`${agents} agents; seconds, least · median · most`)
const [, ...gone] = await Promise.all([
  lose(),
  watch(byAgent, all, ['stale']),
  watch(byNewcomer, all, ['stale']),
])
for (const kind of KINDS) rows(`${kind}: gone`, kind, gone)

const asleep = all.filter(({ kind }) => kind === 'cut and asleep')
await passed(asleep.at(-1)!.at, SLEEP_MS)
for (const one of asleep) {
  one.at = performance.now()
  signal(one, 'SIGCONT')
}
const online = ['online', 'idle']
rows(
  'awake: back',
  'cut and asleep',
  await Promise.all([watch(byAgent, asleep, online), watch(byNewcomer, asleep, online)]),
)
ok(most <= BOUND_MS, `more than ${BOUND_MS / 1_000} s`)

for (const { proxy } of all) proxy.close()
for (const { home } of [here, ...asleep]) await killLink(home, 'SIGTERM')
await server.stop()
