import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { ClawError } from '../../protocol/errors.ts'
import { AccessStore } from '../auth/store.ts'
import { LIMITS } from '../config/quotas.ts'
import type { Checkpoints } from '../history/checkpoints/store.ts'
import type { Indexer } from '../history/find/indexer.ts'
import type { Sweeper } from '../history/sweep.ts'
import type { FileHistory } from '../history/versions/history.ts'
import { BlobStore } from '../storage/blobs/blob-store.ts'
import type { Blobs } from '../storage/blobs/blobs.ts'
import type { LevelUpdateLog } from '../storage/level-update-log.ts'
import { type Place, shownPlace } from '../storage/place.ts'
import { storeError } from '../storage/store-error.ts'
import { OWNER, type Principal } from '../sync/principal.ts'
import type { Rooms } from '../sync/rooms.ts'
import { askServer } from './ask.ts'
import { openHeld, ownerOf } from './source.ts'

/** A removed workspace. */
export interface Purgeable {
  workspace: string
  /** Bytes of its records and blobs, about; null: the store cannot tell. */
  bytes: number | null
}

interface Stores {
  log: Pick<LevelUpdateLog, 'purge' | 'sizeOf'>
  access: Pick<AccessStore, 'workspaces' | 'admin'>
  blobs: Pick<Blobs, 'bytesOf' | 'forget'>
  /** The folder of the blobs. */
  folder: string
}

/** A removed workspace and its size. Throws `unknown_workspace` for one that was not removed. */
export const purgeable = async (
  { log, access, blobs }: Stores,
  workspace: string,
): Promise<Purgeable> => {
  access.workspaces.checkRemoved(workspace)
  const records = await log.sizeOf(workspace)
  return { workspace, bytes: records === null ? null : records + (await blobs.bytesOf(workspace)) }
}

/**
 * Deletes a removed workspace that nothing writes any more: records, members, invites and blobs; its audit log stays. Done
 * again after a crash it goes on. `before` runs once it cannot be brought back any more. Throws `unknown_workspace`.
 */
export const purgeFrom = async (
  stores: Stores,
  { workspace, bytes }: Purgeable,
  by: Principal,
  before: () => Promise<void> = async () => {},
): Promise<void> => {
  const { log, access, blobs, folder } = stores
  await access.admin.purge(workspace, by, async () => {
    await before()
    await log.purge(workspace)
    await rm(join(folder, workspace), { recursive: true, force: true })
    blobs.forget(workspace)
    return bytes === null ? '' : `about ${bytes} bytes`
  })
}

/**
 * Deletes a removed workspace for good, by the server that has the data, if one runs. `confirm` false: nothing is done, and
 * the answer is null. Throws `unknown_workspace` for one that was not removed; `data_locked` while an unknown process uses
 * the data.
 */
export const purgeWorkspace = async (
  place: Place,
  workspace: string,
  confirm: (found: Purgeable) => Promise<boolean>,
): Promise<Purgeable | null> => {
  const held = await openHeld(place, true)
  if (held === null) {
    const owner = await ownerOf(place)
    const ask = (isDry: boolean) =>
      askServer<Purgeable>(owner, '/api/admin/purge', { workspace, dry_run: isDry }, null)
    const found = await ask(true)
    return (await confirm(found)) ? ask(false) : null
  }
  const { log } = held
  try {
    const most = { invites: LIMITS.invites.is, workspaces: LIMITS.workspaces.is }
    const access = await AccessStore.open(log, Date.now, most)
    const folder = join(place.data, 'blobs')
    const stores = { log, access, blobs: new BlobStore(folder, Date.now), folder }
    const found = await purgeable(stores, workspace)
    if (!(await confirm(found))) return null
    await purgeFrom(stores, found, OWNER)
    return found
  } catch (thrown) {
    throw storeError(shownPlace(place), thrown)
  } finally {
    await log.close()
  }
}

/** The parts of a running server that have something of a workspace in memory, or write it. */
interface Beside extends Omit<Stores, 'log' | 'folder'> {
  options: { data: string }
  updateLog: Stores['log']
  /** null: a single server. */
  cluster: object | null
  health: { failure: string | null }
  sweeper: Pick<Sweeper, 'hold'>
  rooms: { rooms: Pick<Rooms, 'end' | 'faults'> }
  history: Pick<FileHistory, 'settled' | 'forget'>
  checkpoints: Pick<Checkpoints, 'forget'>
  indexer: Pick<Indexer, 'settled' | 'forget'>
}

/**
 * Deletes a removed workspace for good while the server serves the others. `isDry`: only its size is looked up. Throws
 * `unknown_workspace` for one that was not removed, `usage` at a node of a cluster, `storage_failed`.
 */
export const purgeBeside = async (
  parts: Beside,
  workspace: string,
  by: Principal,
  isDry: boolean,
): Promise<Purgeable> => {
  const { options, updateLog, access, blobs, health, sweeper } = parts
  if (parts.cluster !== null) {
    const how = 'stop all nodes, run this with --store and --data of one, and start them'
    throw new ClawError('usage', 'a node of a cluster does not purge', how)
  }
  if (health.failure !== null) {
    throw new ClawError('storage_failed', health.failure, 'see the server log')
  }
  const stores = { log: updateLog, access, blobs, folder: join(options.data, 'blobs') }
  const found = await purgeable(stores, workspace)
  if (isDry) return found
  // A sweep would read the workspace.
  return sweeper.hold(async () => {
    await purgeFrom(stores, found, by, () => quiet(parts, workspace))
    return found
  })
}

/** Resolves once nothing of the server writes to a removed workspace, and nothing of it is in memory. */
const quiet = async (parts: Beside, workspace: string): Promise<void> => {
  const { rooms, history, checkpoints, indexer } = parts
  await rooms.rooms.end(workspace, 'the workspace was removed')
  rooms.rooms.faults.served(workspace)
  await history.settled(workspace)
  await indexer.settled()
  history.forget(workspace)
  checkpoints.forget(workspace)
  indexer.forget(workspace)
}
