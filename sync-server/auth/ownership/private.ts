import { chmod, stat } from 'node:fs/promises'
import { ClawError } from '../../../protocol/errors.ts'
import { makeDir } from '../../storage/integrity/disk.ts'

const OTHERS = 0o077

/** Makes the data folder, for its user alone. Throws `data_unusable` where other users of the machine can still get in. */
export const makePrivate = async (dir: string): Promise<void> => {
  // Windows has no such bits; a user's folder there is that user's.
  if (process.platform === 'win32') return
  try {
    await makeDir(dir)
    if (((await stat(dir)).mode & OTHERS) === 0) return
    await chmod(dir, 0o700)
  } catch (error) {
    // Opening the store says what else is wrong with the folder.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return
  }
  const { mode, uid } = await stat(dir)
  if ((mode & OTHERS) === 0) return
  throw new ClawError(
    'data_unusable',
    `other users of this machine can get into ${dir} (mode ${(mode & 0o7777).toString(8)}, user ${uid}), and it cannot be closed to them`,
    `name a folder below it with --data: the server makes that for its user alone`,
  )
}
