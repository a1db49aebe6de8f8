import { join } from 'node:path'
import { type Identity, identityIn } from '../auth/identity.ts'
import { type OwnerFile, ownerOf } from '../auth/owner.ts'
import { makePrivate } from '../auth/ownership/private.ts'
import { AccessStore } from '../auth/store.ts'
import { newSecret } from '../auth/stored/secrets.ts'
import { BlobStore } from '../storage/blobs/blob-store.ts'
import type { Blobs } from '../storage/blobs/blobs.ts'
import { moveBlobs } from '../storage/blobs/move.ts'
import { StoredBlobs } from '../storage/blobs/stored-blobs.ts'
import type { LevelUpdateLog } from '../storage/level-update-log.ts'
import { openLog } from '../storage/open-log.ts'
import { noteStore, type Place, placeOf } from '../storage/place.ts'
import { type ClusterNode, openNode } from './node.ts'
import type { Base } from './parts.ts'

/** All stores of a server. */
export interface Stores {
  place: Place
  updateLog: LevelUpdateLog
  access: AccessStore
  blobs: Blobs
  owner: OwnerFile
  identity: Identity
  /** The secret with which programs of this machine's user join; it changes with each start. null: nodes have none. */
  sameUserInvite: string | null
  /** null: a single server. */
  cluster: ClusterNode | null
}

/** Throws `data_locked`, `data_unusable`, `data_damaged`, `data_newer`; `usage` for a node without a database. */
export const openStores = async (base: Base): Promise<Stores> => {
  const { options, log } = base
  const { data, nodeUrl } = options
  await makePrivate(data)
  const place = placeOf(data, options.store)
  const stores =
    nodeUrl === null
      ? await openSingle(base, place)
      : { ...(await openNode(base, place, nodeUrl)), sameUserInvite: null }
  await noteStore(place)
  stores.access.onNoted = ({ at: _, what, ...entry }) => log.info(entry, what)
  return stores
}

const openSingle = async ({ options, now }: Base, place: Place): Promise<Stores> => {
  const { data, limits } = options
  const updateLog = await openLog(place, now)
  const access = await AccessStore.open(updateLog, now, limits)
  const owner = await ownerOf(data)
  const identity = await identityIn(data)
  const sameUserInvite = newSecret('invite')
  access.authenticator.trust(owner.token, sameUserInvite)
  const blobs = new BlobStore(join(data, 'blobs'), now)
  // Those of a cluster that had the database before.
  const { derived } = updateLog
  await moveBlobs(new StoredBlobs(derived.db, derived.put, now), blobs)
  return { place, updateLog, access, owner, identity, blobs, sameUserInvite, cluster: null }
}
