import { randomBytes } from 'node:crypto'
import type { ClusterParts } from '../../../sync-server/serving/routing.ts'
import { type Here, serveAs } from '../in-process.ts'
import { ownPort, tempDir } from '../server.ts'
import { MemoryCluster } from './memory-holdings.ts'

/** A node with a store of its own, so that it knows the workspaces that it owns, and no others. */
export interface TestNode extends Here {
  id: string
  port: number
}

/** Nodes in this process; the test says who owns what. */
export interface TestNodes {
  cluster: MemoryCluster
  key: Buffer
  nodes: TestNode[]
  close: () => Promise<void>
}

export const startNodes = async (count: number, ...args: string[]): Promise<TestNodes> => {
  const cluster = new MemoryCluster()
  const key = randomBytes(32)
  const nodes: TestNode[] = []
  for (const id of Array.from({ length: count }, (_, index) => `n${index + 1}`)) {
    const port = await ownPort()
    const holdings = cluster.join(id, `http://127.0.0.1:${port}`)
    const parts: ClusterParts = { holdings, self: id, key }
    const here = await serveAs(parts, tempDir(id), '--port', String(port), ...args)
    nodes.push({ ...here, id, port })
  }
  const close = async (): Promise<void> => {
    await Promise.all(nodes.map((node) => node.close()))
  }
  return { cluster, key, nodes, close }
}
