import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { replaceOwn } from '../../lib/disk/own-file.ts'
import { randomHex } from '../../lib/random.ts'
import { ClawError } from '../../protocol/errors.ts'
import { identityOf, keepServerKey, serverKeyIn } from '../auth/identity.ts'
import { ownerOf } from '../auth/owner.ts'
import { AccessStore } from '../auth/store.ts'
import { indexSecrets } from '../auth/stored/secret-index.ts'
import { hashOf } from '../auth/stored/secrets.ts'
import { NodeHoldings } from '../cluster/node-holdings.ts'
import { refuses } from '../cluster/refuses.ts'
import { BlobStore } from '../storage/blobs/blob-store.ts'
import { moveBlobs } from '../storage/blobs/move.ts'
import { StoredBlobs } from '../storage/blobs/stored-blobs.ts'
import { unsealed } from '../storage/integrity/checksummed.ts'
import { HighWaterMark } from '../storage/integrity/high-water-mark.ts'
import { hasDatabase } from '../storage/integrity/inspect.ts'
import type { LevelUpdateLog } from '../storage/level-update-log.ts'
import { logOn } from '../storage/open-log.ts'
import { type Place, shownPlace } from '../storage/place.ts'
import type { NodeRow } from '../storage/postgres/cluster-rows.ts'
import type { Look, NodeStore } from '../storage/postgres/node-store.ts'
import { storeError } from '../storage/store-error.ts'
import type { Base } from './parts.ts'
import type { Stores } from './stores.ts'

/** In the data folder of a node: its id. */
const NODE_FILE = 'node.json'

/** A node that is new waits at most this long until the others have seen it, and looks this often (milliseconds). */
const SEEN_MS = 3_000
const LOOK_MS = 100

/** A node's part in its cluster. */
export interface ClusterNode {
  holdings: NodeHoldings
  /** The id of this node. */
  self: string
  /** The secret that the nodes share. */
  key: Buffer
  /** Follows changes of ownership; set once there are rooms. */
  rooms: {
    /** Forgets all of a workspace that this node does not own any more. */
    forget: (workspace: string) => void
    /** Stores what came, and closes the connections with 4307. */
    release: (workspace: string) => Promise<void>
  }
}

type NodeStores = Omit<Stores, 'sameUserInvite' | 'cluster'> & { cluster: ClusterNode }

/** Joins the cluster on the place's database. Throws `usage` without one, `data_locked`, `data_unusable`, `data_newer`. */
export const openNode = async (base: Base, place: Place, url: string): Promise<NodeStores> => {
  const { data, store } = place
  if (store === null) {
    throw new ClawError('usage', '--node-url needs --store', 'give all nodes the same --store')
  }
  if (await hasDatabase(data)) {
    throw new ClawError(
      'data_unusable',
      `${data} has its records in a LevelDB database`,
      'move them: clawlink-sync backup, then restore --store into a new folder',
    )
  }
  const owner = await ownerOf(data)
  const { NodeStore } = await import('../storage/postgres/node-store.ts')
  const registration = {
    ...{ id: await nodeIdIn(data), url, version: base.version },
    owner: hashOf(owner.token),
  }
  const node = new NodeStore(store, registration, () => performance.now())
  try {
    const mark = new HighWaterMark(data, await node.open())
    const close = async (): Promise<void> => {
      await node.close()
      mark.close()
    }
    const kept = {
      ...{ db: node.db, mark, close },
      reopen: () => node.reopen(),
      watch: (lost: (error: Error) => void) => node.watch(lost),
    }
    const updateLog = await logOn(place, kept, base.now)
    const identity = identityOf(await sharedKey(node, data))
    const shared = await node.rows.valueOr('key', () => randomBytes(32).toString('hex'))
    const key = Buffer.from(shared, 'hex')
    await takeOver(node, updateLog)
    const { derived } = updateLog
    const blobs = new StoredBlobs(derived.db, derived.put, base.now)
    await moveBlobs(new BlobStore(join(data, 'blobs'), base.now), blobs)
    const { access, cluster } = await ownedOf(base, node, { updateLog, blobs }, key)
    cluster.holdings.onLook = (look) => followLook(look, access)
    trust(access, await node.rows.nodes())
    access.authenticator.shareTickets(node.rows.tickets)
    if (node.isNew) await untilSeen(node)
    return { place, updateLog, access, owner, identity, blobs, cluster }
  } catch (thrown) {
    await node.close()
    throw storeError(shownPlace(place), thrown)
  }
}

const nodeIdIn = async (data: string): Promise<string> => {
  const path = join(data, NODE_FILE)
  try {
    const { id } = JSON.parse(readFileSync(path, 'utf8')) as { id: string }
    if (/^[0-9a-f]{16}$/.test(id)) return id
  } catch {
    // It is made below.
  }
  const id = randomHex(8)
  await replaceOwn(path, { id })
  return id
}

/** The key of the server's identity: the first node's, which may have been a single server. */
const sharedKey = async (node: NodeStore, data: string): Promise<string> => {
  const known = await node.rows.value('identity')
  const own = known === null ? await serverKeyIn(data) : ''
  const key = known ?? (await node.rows.valueOr('identity', () => own))
  await keepServerKey(data, key)
  return key
}

/** After a single server had the database: its workspaces and secrets are known to the nodes, too. */
const takeOver = async (node: NodeStore, log: LevelUpdateLog): Promise<void> => {
  const epoch = await node.rows.serverEpoch()
  if ((await node.rows.value('indexed')) === epoch) return
  await node.rows.addNames(await indexSecrets(log))
  await node.rows.setValue('indexed', epoch)
}

/** The workspaces that the node owns, and their members. */
const ownedOf = async (
  { now, options, log }: Base,
  node: NodeStore,
  { updateLog, blobs }: { updateLog: LevelUpdateLog; blobs: StoredBlobs },
  key: Buffer,
): Promise<{ access: AccessStore; cluster: ClusterNode }> => {
  const rooms: ClusterNode['rooms'] = { forget: () => {}, release: async () => {} }
  const access: AccessStore = await AccessStore.open(updateLog, now, options.limits, (name, most) =>
    holdings.create(name, most),
  )
  const forget = (workspace: string): void => {
    updateLog.forget(workspace)
    blobs.forget(workspace)
    rooms.forget(workspace)
  }
  const holdings: NodeHoldings = new NodeHoldings({
    ...{ node, refuses, clock: () => performance.now() },
    load: async (workspace) => {
      forget(workspace)
      await access.load(workspace)
      log.info({ workspace }, 'claimed')
    },
    unload: (names) => {
      for (const name of names) forget(name)
      access.unload(names)
    },
    settle: async (workspace) => {
      await rooms.release(workspace)
      await access.settled()
      log.info({ workspace }, 'given up')
    },
  })
  return { access, cluster: { holdings, self: node.id, key, rooms } }
}

/** Each node's owner token opens every node. */
const trust = (access: AccessStore, nodes: readonly NodeRow[]): void =>
  access.authenticator.trustOwners(nodes.map(({ owner }) => owner))

/** Resolves once all other nodes have seen this one, and know its owner's token; at the latest after SEEN_MS. */
const untilSeen = async (node: NodeStore): Promise<void> => {
  const until = performance.now() + SEEN_MS
  const first = new Map((await node.rows.nodes()).map(({ id, n }) => [id, BigInt(n)]))
  const isBehind = ({ id, is_up, n }: NodeRow): boolean =>
    // The beat that is under way may have looked before.
    is_up && id !== node.id && BigInt(n) < (first.get(id) ?? 0n) + 2n
  while (performance.now() < until && (await node.rows.nodes()).some(isBehind)) await pause(LOOK_MS)
}

const followLook = ({ nodes, recovering }: Look, access: AccessStore): void => {
  trust(access, nodes)
  const value = recovering === null ? null : unsealed(recovering)
  if (value !== null) access.recovering = JSON.parse(Buffer.from(value).toString()) as number
}
