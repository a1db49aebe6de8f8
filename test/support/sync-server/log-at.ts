import type { LevelUpdateLog } from '../../../sync-server/storage/level-update-log.ts'
import { logOn, openStore } from '../../../sync-server/storage/open-log.ts'
import { placeOf } from '../../../sync-server/storage/place.ts'

/** The log of a server that does not run, in whatever store its folder names. */
export const logAt = async (data: string): Promise<LevelUpdateLog> => {
  const place = placeOf(data, null)
  return logOn(place, await openStore(place, 'takeFree', false), Date.now)
}
