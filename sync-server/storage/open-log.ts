import { ClawError } from '../../protocol/errors.ts'
import { sizeOf } from './integrity/disk.ts'
import { LevelUpdateLog } from './level-update-log.ts'
import { storeError } from './store-error.ts'

/** Opens the data in `dir`; makes the folder if need be, unless it is to be there. Throws `data_locked`, `data_unusable`, `data_damaged`, `data_newer`. */
export const openLog = async (
  dir: string,
  now: () => number,
  create = true,
): Promise<LevelUpdateLog> => {
  try {
    if (!create && (await sizeOf(dir)) === null) {
      throw new ClawError(
        'data_unusable',
        `there is no data in ${dir}`,
        'name the folder with --data',
      )
    }
    return await LevelUpdateLog.open(dir, now)
  } catch (thrown) {
    throw storeError(dir, thrown)
  }
}
