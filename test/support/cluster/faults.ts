import { setTimeout as pause } from 'node:timers/promises'
import { runSql } from '../sql.ts'
import type { Cluster } from './processes.ts'

/** A fault, from which the cluster has recovered at the end, as far as it can. */
export interface Fault {
  name: string
  run: (cluster: Cluster) => Promise<void>
}

/** Time for a cluster to come to rest after a fault (milliseconds). */
const REST_MS = 4_000

/** kill -9 of each node in turn, `downMs` between its end and its start. */
export const kills = (count: number, downMs: number): Fault[] =>
  Array.from({ length: count }, (_, n) => ({
    name: `kill -9 of node ${n + 1}`,
    run: async (cluster) => {
      const node = cluster.nodes[n]!
      await cluster.killNode(node)
      await pause(downMs)
      await cluster.startNode(node)
      await pause(REST_MS)
    },
  }))

/** A process that is stopped, and goes on later as if nothing had been. */
export const stopped = (n: number, ms: number): Fault => ({
  name: `node ${n + 1} is stopped (SIGSTOP) for ${ms / 1000} s`,
  run: async ({ nodes }) => {
    const { process: child } = nodes[n]!.server!
    child.kill('SIGSTOP')
    await pause(ms)
    child.kill('SIGCONT')
    await pause(REST_MS)
  },
})

export const cutFromEngine = (n: number, ms: number): Fault => ({
  name: `node ${n + 1} is cut from PostgreSQL for ${ms / 1000} s`,
  run: async ({ nodes }) => {
    nodes[n]!.engine.block()
    await pause(ms)
    nodes[n]!.engine.open()
    await pause(REST_MS)
  },
})

export const drained = (n: number): Fault => ({
  name: `node ${n + 1} is stopped as planned (SIGTERM), and started again`,
  run: async (cluster) => {
    const node = cluster.nodes[n]!
    await node.server!.stop()
    node.server = null
    await pause(1_000)
    await cluster.startNode(node)
    await pause(REST_MS)
  },
})

export const engineRestarts: Fault = {
  name: 'PostgreSQL is killed and started again',
  run: async ({ postgres }) => {
    await postgres.kill()
    await postgres.restart()
    await pause(REST_MS)
  },
}

/** No commit returns until it is back. */
export const standbyAway = (ms: number): Fault => ({
  name: `the synchronous standby is away for ${ms / 1000} s`,
  run: async ({ standby }) => {
    await standby!.kill()
    await pause(ms)
    await standby!.restart()
    await pause(REST_MS)
  },
})

export const failover: Fault = {
  name: 'PostgreSQL is killed and its standby promoted',
  run: async (cluster) => {
    // The new primary has no standby, and must not wait for one.
    await cluster.failOver()
    await runSql(cluster.standby!.url, `alter system set synchronous_standby_names = ''`)
    await runSql(cluster.standby!.url, 'select pg_reload_conf()')
    await pause(REST_MS)
  },
}

/** The standby receives nothing any more, the primary acknowledges on, dies, and the standby is promoted. */
export const lateFailover: Fault = {
  name: 'the standby is behind when PostgreSQL dies',
  run: async (cluster) => {
    await runSql(cluster.standby!.url, `alter system set primary_conninfo = ''`)
    await runSql(cluster.standby!.url, 'select pg_reload_conf()')
    await pause(2_500)
    await failover.run(cluster)
  },
}

/** Partitions between node 1 and others, in network namespaces: what node 1 sends there vanishes. */
export const partition = (whom: 'engine' | 'node 2' | 'client', ms: number): Fault => ({
  name: `in namespaces: node 1 is cut from ${whom} for ${ms / 1000} s`,
  run: async ({ net }) => {
    const namespaces = net!
    const address = {
      engine: namespaces.engine,
      'node 2': namespaces.node(1),
      client: namespaces.client,
    }
    namespaces.block(0, address[whom])
    if (whom === 'node 2') namespaces.block(1, namespaces.node(0))
    await pause(ms)
    namespaces.unblock(0, address[whom])
    if (whom === 'node 2') namespaces.unblock(1, namespaces.node(0))
    await pause(REST_MS)
  },
})

/** Random kills and stops of nodes for a while; `random` gives numbers from 0 to 1. */
export const chaos = (ms: number, random: () => number): Fault => ({
  name: `chaos for ${ms / 1000} s: nodes are killed and stopped at random`,
  run: async (cluster) => {
    const until = performance.now() + ms
    const busy = new Set<number>()
    const working: Promise<void>[] = []
    const hit = async (n: number): Promise<void> => {
      const node = cluster.nodes[n]!
      if (random() < 0.5) {
        await cluster.killNode(node)
        await pause(200 + random() * 2_000)
        await cluster.startNode(node)
      } else {
        node.server!.process.kill('SIGSTOP')
        await pause(100 + random() * 9_000)
        node.server!.process.kill('SIGCONT')
      }
      await pause(1_000)
      busy.delete(n)
    }
    while (performance.now() < until) {
      const n = Math.floor(random() * cluster.nodes.length)
      // One stays, so that there is somebody to be owner.
      if (!busy.has(n) && busy.size < cluster.nodes.length - 1) {
        busy.add(n)
        working.push(hit(n))
      }
      await pause(500 + random() * 2_000)
    }
    await Promise.all(working)
    await pause(REST_MS)
  },
})
