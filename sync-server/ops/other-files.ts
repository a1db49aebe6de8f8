import { readdir } from 'node:fs/promises'
import { OWNER_FILE } from '../auth/owner.ts'
import { HIGH_WATER_MARK_FILE } from '../storage/integrity/high-water-mark.ts'
import { STORE_FILE } from '../storage/place.ts'
import { LAST_BACKUP_FILE } from './host/status.ts'

/** LevelDB's own, and what belongs to one running server only. */
const IS_LEFT_OUT =
  /^(?:CURRENT|LOCK|LOG|LOG\.old|MANIFEST-\d+|\d+\.(?:log|ldb|sst|dbtmp)|.*\.new|.*\.partial.*)$/

/** Files that lie beside the database in a data folder, such as lists of who may do what. */
export const otherFiles = async (data: string): Promise<string[]> => {
  const entries = await readdir(data, { withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile() && !IS_LEFT_OUT.test(entry.name))
    .map(({ name }) => name)
    .filter(
      (name) =>
        !name.startsWith(HIGH_WATER_MARK_FILE) &&
        ![OWNER_FILE, STORE_FILE, LAST_BACKUP_FILE].includes(name) &&
        /^[\w-][\w.-]*$/.test(name),
    )
    .sort()
}
