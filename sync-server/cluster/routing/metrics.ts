import { Gauge, type Registry } from 'prom-client'
import type { Holdings, NodeState } from '../holdings.ts'
import type { Router } from './router.ts'

/** Adds the metrics of a node to those of its server. */
export const addNodeMetrics = (
  registry: Registry,
  self: string,
  holdings: Holdings,
  router: () => Router,
): void => {
  const registers = [registry]
  new Gauge({
    name: 'clawlink_forwarded_total',
    help: 'Requests and connections that this node sent on to other nodes',
    registers,
    collect() {
      this.set(router().counts.forwarded)
    },
  })
  new Gauge({
    name: 'clawlink_forwarded_open',
    help: 'Of those the ones that are open',
    registers,
    collect() {
      this.set(router().counts.open)
    },
  })
  // While the database does not answer nothing is known of the others.
  const look = (): Promise<readonly NodeState[]> => holdings.nodes().catch(() => [])
  new Gauge({
    name: 'clawlink_nodes',
    help: 'Nodes of the cluster, by state',
    labelNames: ['state'],
    registers,
    async collect() {
      const nodes = await look()
      for (const state of ['up', 'silent', 'stopped'] as const) {
        this.set({ state }, nodes.filter((node) => node.state === state).length)
      }
    },
  })
  new Gauge({
    name: 'clawlink_node_workspaces',
    help: 'Workspaces that this node owns',
    registers,
    async collect() {
      this.set((await look()).find(({ id }) => id === self)?.workspaces ?? 0)
    },
  })
}
