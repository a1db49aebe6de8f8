import { deepStrictEqual, strictEqual } from 'node:assert'
import { setTimeout as pause } from 'node:timers/promises'
import * as Y from 'yjs'
import { UNLIMITED } from '../../bench/contenders.ts'
import { cpuSeconds } from '../../bench/programs.ts'
import { findPostgres } from '../../scripts/postgres/postgres.ts'
import { liveDoc, runSeed, seeded } from '../support/client.ts'
import {
  keysIn,
  kindsIn,
  type Place,
  type Sizes,
  sizesOf,
  textIn,
  visit,
} from '../support/cluster/day.ts'
import { Cluster } from '../support/cluster/processes.ts'
import { sync } from '../support/ops/commands.ts'
import { makeWorkspaces } from '../support/server.ts'

/**
 * A day of a cluster in fast forward: agents come to workspaces of three nodes, write, and go, UPDATES times in all or for MINUTES, and
 * the table, its dead rows, the WAL and the memory of the nodes are watched: `npm run proof -- cluster-day [UPDATES [WORKSPACES [MINUTES [PER_SECOND]]]]`.
 */

const total = Number(process.argv[2] ?? 10_000_000)
const count = Number(process.argv[3] ?? 1_000)
const mostMs = Number(process.argv[4] ?? 24 * 60) * 60_000
const perSecond = Number(process.argv[5] ?? Number.POSITIVE_INFINITY)
/** Agents at the same time, and the updates that each writes before it goes (counts). */
const AT_ONCE = 40
const EDITS = 500
/** PostgreSQL keeps about as much WAL by default (MiB). */
const MOST_WAL = 1.1 * 1_024
/** An agent that is early, or whose connection ended, comes after this long (milliseconds). */
const AGAIN_MS = 200
/** … and at the end gives up after this many times (count). */
const TRIES = 50
/** Rows of the output (count). */
const LOOKS = 24
/** Documents that are read back at a time in the end (count). */
const READ_AT_ONCE = 8

const found = findPostgres()
if (found.bin === undefined) throw new Error(found.why)
const random = seeded(runSeed('cluster-day'))
const { bin } = found
const args = ['--limit', UNLIMITED.join(), '--log-level', 'error']
const cluster = await Cluster.start({ bin, nodes: 3, standby: 'none', args })
const nodes = cluster.nodes.map(({ server }) => server!)
const places = Array.from({ length: count }, (_, n): Place => {
  return { name: `w${n}`, doc: new Y.Doc(), caret: 0, written: 0, acknowledged: 0 }
})
// Whoever makes a workspace owns it.
const makers = nodes.map(({ url }, n) => {
  const own = places.filter((_, i) => i % nodes.length === n)
  return makeWorkspaces(url, ...own.map(({ name }) => name))
})
await Promise.all(makers)

const began = performance.now()
const updates = (): number => places.reduce((sum, { acknowledged }) => sum + acknowledged, 0)
const part = (): number => Math.max(updates() / total, (performance.now() - began) / mostMs)
const looks: Sizes[] = []
const show = ({ memory, ...row }: Sizes): string =>
  [...Object.values(row), ...memory].map((one) => Math.round(one).toLocaleString('en')).join(' | ')
console.log(`${total} updates over ${count} workspaces, ${AT_ONCE} agents at a time`)
console.log(
  'updates | s | table, MiB | live rows | dead rows | vacuums | WAL written, MiB | WAL kept, MiB | memory of each node, MiB',
)

let next = 0
let failures = 0
const troubles = new Map<string, number>()
const lane = async (): Promise<void> => {
  while (part() < 1) {
    if ((updates() * 1_000) / (performance.now() - began) > perSecond) {
      await pause(AGAIN_MS)
      continue
    }
    const place = places[next % count]!
    const node = nodes[next++ % nodes.length]!
    await visit(node, place, EDITS, random).catch(async (error: Error) => {
      failures++
      const what = error.message.replace(/^w\d+: /, '').split('\r\n')[0]!
      troubles.set(what, (troubles.get(what) ?? 0) + 1)
      await pause(AGAIN_MS)
    })
  }
}
const settle = async (place: Place): Promise<void> => {
  for (let tries = 0; place.acknowledged < place.written; tries++) {
    await visit(nodes[0]!, place, 0, random).catch(async (error: Error) => {
      if (tries === TRIES) throw error
      await pause(AGAIN_MS)
    })
  }
}
const working = Promise.all(Array.from({ length: AT_ONCE }, lane))
for (let n = 1; n <= LOOKS; n++) {
  while (part() < n / LOOKS) await pause(100)
  looks.push(await sizesOf(cluster, updates(), (performance.now() - began) / 1000))
  console.log(show(looks.at(-1)!))
}
await working
// What the last visit of an agent could not store.
for (const place of places) if (place.acknowledged < place.written) await settle(place)
const each = (seconds: number): string => ((seconds * 1e6) / updates()).toFixed(0)
const cpuOf = (pid: number): number => cpuSeconds(pid) ?? Number.NaN
const ofNodes = nodes.reduce((sum, one) => sum + cpuOf(one.process.pid!), 0)
console.log(`CPU per update, µs: nodes ${each(ofNodes)}, agents ${each(cpuOf(process.pid))}`)
for (const [what, n] of troubles) console.log(`${n} times: ${what}`)

for (const { kind, n, mib } of await kindsIn(cluster)) {
  console.log(`records ${kind}: ${n}, ${mib.toFixed(1)} MiB`)
}
const reader = await cluster.readBack()
const rest = [...places]
const check = async (): Promise<void> => {
  for (let place = rest.pop(); place !== undefined; place = rest.pop()) {
    const { name, doc } = place
    const there = await liveDoc(`${reader.sync}/${name}`)
    strictEqual(textIn(there.doc), textIn(doc), name)
    deepStrictEqual(keysIn(there.doc), keysIn(doc), name)
    const clocks = [there.doc, doc].map((one) => Y.getState(one.store, doc.clientID))
    strictEqual(clocks[0], clocks[1], name)
    await there.client.close()
    there.doc.destroy()
  }
}
await Promise.all(Array.from({ length: READ_AT_ONCE }, check))
console.log(`${count} documents read back: as their writers have them`)
await reader.stop()
const { stdout } = await sync('verify', '--data', reader.data)
console.log(stdout.trim().split('\n').at(-1))
await cluster.stop()

/** The most of a figure in the second and in the last third of the day. */
const thirds = (figure: (look: Sizes) => number): [middle: number, last: number] => {
  const most = (from: number, to: number) => Math.max(...looks.slice(from, to).map(figure))
  return [most(LOOKS / 3, (2 * LOOKS) / 3), most((2 * LOOKS) / 3, LOOKS)]
}
const FIGURES: readonly [what: string, figure: (look: Sizes) => number, growth: number][] = [
  ['dead rows', ({ dead }) => dead, 1.5],
  ['memory of a node', ({ memory }) => Math.max(...memory), 1.5],
]
const grown = FIGURES.filter(([, figure, growth]) => {
  const [middle, last] = thirds(figure)
  return last > middle * growth
})
const hasManyWal = looks.some(({ wal }) => wal > MOST_WAL)
if (hasManyWal) console.log('FAILED: more WAL is kept than PostgreSQL is told to')
for (const [what] of grown) console.log(`FAILED: ${what} grew from the second to the last third`)
const isWell = stdout.includes('all well')
if (!isWell) console.log(`FAILED: verify: ${stdout}`)
console.log(`${updates()} updates, ${failures} connections that ended early`)
process.exitCode = grown.length === 0 && !hasManyWal && isWell ? 0 : 1
process.exit()
