import { isAbsolute } from 'node:path'
import { ClawError } from '../../protocol/errors.ts'

const WHY: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  ENOTDIR: 'a part of its path is not a folder',
  EISDIR: 'it is a folder',
  EACCES: 'this user may not read it',
  EPERM: 'this user may not read it',
  ELOOP: 'its links lead in a circle',
  ENAMETOOLONG: 'the name is too long',
}

/** The error for a local file that cannot be read; `typed`: its path as the user gave it, relative to `cwd`. */
export const cannotRead = (typed: string, cwd: string, cause: unknown): ClawError => {
  const { code = '' } = cause as NodeJS.ErrnoException
  if (typed === '')
    return new ClawError('usage', 'the name of the local file is empty', 'like: --file plan.md')
  const relative = isAbsolute(typed) ? 'check the path' : `paths are relative to ${cwd}`
  return new ClawError(
    'no_such_local_file',
    `cannot read ${typed}: ${WHY[code] ?? (code || (cause as Error).message)}`,
    code === 'EISDIR'
      ? 'name a file in it; to share a folder: clawlink-agent mirror DIR'
      : relative,
  )
}
