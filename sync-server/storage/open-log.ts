import { ClawError } from '../../protocol/errors.ts'
import type { Store } from './integrity/db.ts'
import { sizeOf } from './integrity/disk.ts'
import { HighWaterMark } from './integrity/high-water-mark.ts'
import { hasDatabase } from './integrity/inspect.ts'
import { openLevel } from './integrity/open.ts'
import { LevelUpdateLog } from './level-update-log.ts'
import { type Place, shownPlace } from './place.ts'
import type { Purpose } from './postgres/open.ts'
import { storeError } from './store-error.ts'

/**
 * Opens the store of a place. `purpose` counts on PostgreSQL only: LevelDB's lock excludes other processes. `upgrade`:
 * whether data of an older format is upgraded. Throws `data_locked`, `data_unusable`, `data_damaged`, `data_newer`;
 * `no_data` for a database to be read that has none.
 */
export const openStore = async (
  place: Place,
  purpose: Purpose,
  upgrade: boolean,
): Promise<Store> => {
  try {
    const { data, store } = place
    if (store === null) return await openLevel(data, upgrade)
    if (await hasDatabase(data)) {
      throw new ClawError(
        'data_unusable',
        `${data} has its records in a LevelDB database`,
        'start without --store, or move them: clawlink-sync backup, then restore --store into a new folder',
      )
    }
    const { openPostgres } = await import('./postgres/open.ts')
    return await openPostgres(store, purpose, (id) => new HighWaterMark(data, id))
  } catch (thrown) {
    throw storeError(shownPlace(place), thrown)
  }
}

/**
 * Opens a server's data. `create` false: it exists already, and no running server has it. Throws like `openStore`.
 */
export const openLog = async (
  place: Place,
  now: () => number,
  create = true,
): Promise<LevelUpdateLog> => {
  if (!create && place.store === null && (await sizeOfFolder(place)) === null) {
    throw new ClawError(
      'data_unusable',
      `${place.data} does not exist`,
      'name the data folder with --data',
    )
  }
  return logOn(place, await openStore(place, create ? 'take' : 'takeFree', true), now)
}

const sizeOfFolder = (place: Place): Promise<number | null> =>
  sizeOf(place.data).catch((thrown) => {
    throw storeError(place.data, thrown)
  })

/** The log on the open store of a place. Throws `data_damaged`. */
export const logOn = (place: Place, store: Store, now: () => number): Promise<LevelUpdateLog> =>
  LevelUpdateLog.on(store, now).catch((thrown) => {
    throw storeError(shownPlace(place), thrown)
  })
