import { NodeHoldings } from '../../../sync-server/cluster/node-holdings.ts'
import { refuses } from '../../../sync-server/cluster/refuses.ts'
import type { StoreAddress } from '../../../sync-server/config/store-address.ts'
import { NodeStore } from '../../../sync-server/storage/postgres/node-store.ts'

/** A node without a server, whose clock a test moves. */
export interface StoreNode {
  node: NodeStore
  holdings: NodeHoldings
  /** What happened to its workspaces, in order. */
  events: string[]
  /** Moves its monotonic clock (milliseconds), as if the process had been stopped for that long. */
  sleep: (ms: number) => void
  /** Its monotonic clock stands still from now on: it sees nobody's silence grow. */
  stand: () => void
  /** Ends its beats, as if the process was stopped. */
  stop: () => void
  /** Ends its connections, too, as if the process was killed. */
  kill: () => Promise<void>
  /** Resolves with why the node lost its epoch. */
  lost: Promise<Error>
  close: () => Promise<void>
}

/** Ports where nothing listens are refused: `url` is one unless it is given. Claims what it is asked for, unless it `defers`. */
export const storeNode = async (
  address: StoreAddress,
  id: string,
  url = 'http://127.0.0.1:9',
  defers = false,
): Promise<StoreNode> => {
  let asleep = 0
  let standing: number | null = null
  const clock = () => (standing ?? performance.now()) + asleep
  const node = new NodeStore(address, { id, url, version: '1', owner: '' }, clock)
  await node.open()
  const events: string[] = []
  const holdings = new NodeHoldings({
    ...{ node, clock, refuses, ...(!defers && { prefers: () => null }) },
    load: async (workspace) => void events.push(`load ${workspace}`),
    unload: (names) => void events.push(...names.map((name) => `unload ${name}`)),
    settle: async (workspace) => void events.push(`settle ${workspace}`),
  })
  const lost = new Promise<Error>((resolve) => node.watch(resolve))
  return {
    ...{ node, holdings, events, lost },
    sleep: (ms) => {
      asleep += ms
    },
    stand: () => {
      standing = performance.now()
    },
    stop: () => node.stop(),
    kill: async () => {
      node.stop()
      await node.db.close()
    },
    close: () => node.close(),
  }
}
