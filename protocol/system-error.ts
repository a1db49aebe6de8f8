import type { ErrorCode } from './errors.ts'

/** Error that Node throws for a failed system call. */
interface SystemError {
  code: string
  syscall: string
  path?: string
}

/** Code, problem and remedy, by the system's error name. Other errors are reported by their name. */
const MEANINGS: Readonly<Record<string, readonly [code: ErrorCode, what: string, todo: string]>> = {
  ENOSPC: ['cannot_write', 'the disk is full', 'make room on it'],
  EDQUOT: ['cannot_write', 'your quota is used up', 'make room within it'],
  EFBIG: ['cannot_write', 'the file would be too large', 'raise the limit: ulimit -f'],
  EROFS: ['cannot_write', 'the file system is read-only', 'name a folder on another one'],
  EACCES: ['data_unusable', 'permission denied', 'it must be yours to read and write (ls -ld)'],
  EPERM: ['data_unusable', 'not permitted', 'it must be yours to read and write (ls -ld)'],
  ENOENT: ['data_unusable', 'it is not there', 'make it, or name another one'],
  ENOTDIR: ['data_unusable', 'a part of the path is a file', 'name another path'],
  EISDIR: ['data_unusable', 'it is a folder', 'name a file'],
  ENAMETOOLONG: ['data_unusable', 'the name is too long', 'use a shorter one'],
  ELOOP: ['data_unusable', 'its links go in circles', 'name another path'],
  EMFILE: ['data_unusable', 'too many files are open', 'raise the limit: ulimit -n'],
  ENFILE: ['data_unusable', 'the system has too many files open', 'close other programs'],
  EIO: ['data_unusable', 'the disk fails', 'look at the log of the system (dmesg)'],
}

/** Calls that are about a connection, not a file. */
const NETWORK = /^(?:connect|bind|listen|accept|getaddrinfo|query\w*|read|write|shutdown)$/

export const isSystemError = (thrown: unknown): thrown is Error & SystemError => {
  const { code, syscall, path } = (thrown ?? {}) as Partial<SystemError>
  if (!(thrown instanceof Error) || typeof code !== 'string' || typeof syscall !== 'string') {
    return false
  }
  return (
    /^E[A-Z0-9]+$/.test(code) &&
    (typeof path === 'string' || code in MEANINGS || !NETWORK.test(syscall))
  )
}

/** Code, message and hint for a system error. */
export const meaningOf = (error: SystemError): [code: ErrorCode, message: string, hint: string] => {
  const { code, syscall, path } = error
  if (syscall === 'uv_cwd') return ['data_unusable', ...REMOVED_FOLDER]
  const [as, what, todo] = MEANINGS[code] ?? [
    'data_unusable',
    'the system refuses it',
    'look at it',
  ]
  return [as, `cannot ${DOING[syscall] ?? 'use'} ${path ?? 'a file'}: ${what} (${code})`, todo]
}

const DOING: Readonly<Record<string, string>> = {
  ...{ mkdir: 'make the folder', mkdtemp: 'make the folder', open: 'open', read: 'read' },
  ...{ scandir: 'read', opendir: 'read', write: 'write', fsync: 'write', rename: 'write' },
}

/** Message and hint where a path was given that is below a working directory that is gone. */
export const REMOVED_FOLDER = [
  'the working directory was removed',
  'cd to a folder that is there, or give absolute paths',
] as const
