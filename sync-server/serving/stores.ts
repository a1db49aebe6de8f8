import { join } from 'node:path'
import { type Identity, identityIn } from '../auth/identity.ts'
import { type OwnerFile, ownerOf } from '../auth/owner.ts'
import { makePrivate } from '../auth/ownership/private.ts'
import { AccessStore } from '../auth/store.ts'
import { newSecret } from '../auth/stored/secrets.ts'
import { BlobStore } from '../storage/blobs.ts'
import type { LevelUpdateLog } from '../storage/level-update-log.ts'
import { openLog } from '../storage/open-log.ts'
import type { Base } from './parts.ts'

/** All stores in a server's data folder. */
export interface Stores {
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
  const updateLog = await openLog(data, now)
  const access = await AccessStore.open(updateLog, now, options.limits)
  access.onNoted = ({ at: _, what, ...entry }) => log.info(entry, what)
  const owner = await ownerOf(data)
  const identity = await identityIn(data)
  const sameUserInvite = newSecret('invite')
  access.authenticator.trust(owner.token, sameUserInvite)
  const blobs = new BlobStore(join(data, 'blobs'), now)
  return { updateLog, access, blobs, owner, identity, sameUserInvite }
}
