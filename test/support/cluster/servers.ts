import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { preferredOf } from '../../../sync-server/cluster/preferred.ts'
import { ownPort, type Server, startServer, tempDir } from '../server.ts'

/** The id of the node with this data folder. */
export const nodeIdIn = (data: string): string =>
  (JSON.parse(readFileSync(join(data, 'node.json'), 'utf8')) as { id: string }).id

/** A node in a process of its own. */
export const startNode = async (
  store: string,
  data = tempDir('node'),
  args: readonly string[] = [],
): Promise<Server> => {
  const port = await ownPort()
  const node = ['--store', store, '--node-url', `http://127.0.0.1:${port}`, '--no-mdns']
  return startServer({ data, port, args: [...node, ...args] })
}

/** Two nodes, first the one that should own the workspace `default`. */
export const startTwo = async (
  store: string,
  args: readonly string[] = [],
): Promise<[Server, Server]> => {
  const one = await startNode(store, undefined, args)
  const nodes: [Server, Server] = [one, await startNode(store, undefined, args)]
  const ids = nodes.map(({ data }) => nodeIdIn(data))
  return preferredOf('default', ids) === ids[0] ? nodes : [nodes[1], nodes[0]]
}
