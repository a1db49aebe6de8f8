import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { ClawError } from '../../protocol/errors.ts'
import { AccessStore } from '../auth/store.ts'
import { LIMITS } from '../config/quotas.ts'
import { BlobStore } from '../storage/blobs/blob-store.ts'
import { purgeRecords } from '../storage/integrity/purge.ts'
import { sizeIn } from '../storage/integrity/sizes.ts'
import { type Place, shownPlace } from '../storage/place.ts'
import { storeError } from '../storage/store-error.ts'
import { OWNER } from '../sync/principal.ts'
import { openHeld } from './source.ts'

/** A removed workspace. */
export interface Purgeable {
  workspace: string
  /** Bytes of its records and blobs, about; null: the store cannot tell. */
  bytes: number | null
}

/**
 * Deletes a removed workspace for good: records, members, invites and blobs; its audit log stays. `confirm` false: nothing
 * is done, and the answer is null. Done again after a crash it goes on. Throws `unknown_workspace` for one that was not
 * removed, `data_locked` while a server uses the data.
 */
export const purgeWorkspace = async (
  place: Place,
  workspace: string,
  confirm: (found: Purgeable) => Promise<boolean>,
): Promise<Purgeable | null> => {
  const shown = shownPlace(place)
  const held = await openHeld(place, true)
  if (held === null) {
    throw new ClawError(
      'data_locked',
      `${shown} is in use by a server`,
      'stop the server, run this again, and start it',
    )
  }
  const { store, log } = held
  try {
    const most = { invites: LIMITS.invites.is, workspaces: LIMITS.workspaces.is }
    const access = await AccessStore.open(log, Date.now, most)
    access.workspaces.checkRemoved(workspace)
    const folder = join(place.data, 'blobs')
    const blobs = await new BlobStore(folder, Date.now).bytesOf(workspace)
    const records = await sizeIn(store, workspace)
    const found = {
      workspace,
      bytes: records === null ? null : records + blobs,
    }
    if (!(await confirm(found))) return null
    await access.admin.purge(workspace, OWNER, async () => {
      await purgeRecords(store, workspace)
      await rm(join(folder, workspace), { recursive: true, force: true })
      return found.bytes === null ? '' : `about ${found.bytes} bytes`
    })
    return found
  } catch (thrown) {
    throw storeError(shown, thrown)
  } finally {
    await log.close()
  }
}
