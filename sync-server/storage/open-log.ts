import { ClawError } from '../../protocol/errors.ts'
import { sizeOf } from './integrity/disk.ts'
import { LevelUpdateLog } from './level-update-log.ts'
import { storeError } from './store-error.ts'

/**
 * Opens the data in `dir`; creates the folder if `create` is true. Throws `data_locked`,
 * `data_unusable`, `data_damaged`, `data_newer`.
 */
export const openLog = async (
  dir: string,
  now: () => number,
  create = true,
): Promise<LevelUpdateLog> => {
  try {
    if (!create && (await sizeOf(dir)) === null) {
      throw new ClawError(
        'data_unusable',
        `${dir} does not exist`,
        'name the data folder with --data',
      )
    }
    return await LevelUpdateLog.open(dir, now)
  } catch (thrown) {
    throw storeError(dir, thrown)
  }
}
