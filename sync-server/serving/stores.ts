import { join } from 'node:path'
import { type Identity, identityIn } from '../auth/identity.ts'
import { type OwnerFile, ownerOf } from '../auth/owner.ts'
import { makePrivate } from '../auth/ownership/private.ts'
import { AccessStore } from '../auth/store.ts'
import { newSecret } from '../auth/stored/secrets.ts'
import { BlobStore } from '../storage/blobs.ts'
import type { LevelUpdateLog } from '../storage/level-update-log.ts'
import { openLog } from '../storage/open-log.ts'
import { noteStore, type Place, placeOf } from '../storage/place.ts'
import type { Base } from './parts.ts'

/** All stores of a server. */
export interface Stores {
  place: Place
  updateLog: LevelUpdateLog
  access: AccessStore
  blobs: BlobStore
  owner: OwnerFile
  identity: Identity
  /** The secret with which programs of this machine's user join; it changes with each start. */
  sameUserInvite: string
}

/** Throws `data_locked`, `data_unusable`, `data_damaged`, `data_newer`. */
export const openStores = async ({ options, now, log }: Base): Promise<Stores> => {
  const { data } = options
  await makePrivate(data)
  const place = placeOf(data, options.store)
  const updateLog = await openLog(place, now)
  await noteStore(place)
  const access = await AccessStore.open(updateLog, now, options.limits)
  access.onNoted = ({ at: _, what, ...entry }) => log.info(entry, what)
  const owner = await ownerOf(data)
  const identity = await identityIn(data)
  const sameUserInvite = newSecret('invite')
  access.authenticator.trust(owner.token, sameUserInvite)
  const blobs = new BlobStore(join(data, 'blobs'), now)
  return { place, updateLog, access, blobs, owner, identity, sameUserInvite }
}
