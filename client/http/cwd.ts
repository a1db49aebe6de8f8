import { isAbsolute, resolve } from 'node:path'
import { ClawError } from '../../protocol/errors.ts'
import { REMOVED_FOLDER } from '../../protocol/system-error.ts'

/** The working directory; '' where it was removed, which only matters for paths that are relative to it. */
export const workingDir = (): string => {
  try {
    return process.cwd()
  } catch {
    return ''
  }
}

/** Throws `data_unusable` where that takes a working directory that is gone. */
export const resolveIn = (cwd: string, path: string): string => {
  if (cwd === '' && !isAbsolute(path)) throw new ClawError('data_unusable', ...REMOVED_FOLDER)
  return resolve(cwd, path)
}
