import { type FileVersionContent, getFileVersion } from '../../client/http/api.ts'
import { ClawError } from '../../protocol/errors.ts'
import type { Call } from './call.ts'

/** A number from 1 on in a flag; null where it is not given. Throws `usage`. */
export const numberIn = (call: Call, flag: string): number | null => {
  const text = call.flag(flag)
  if (text === undefined) return null
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text)
  throw new ClawError('usage', `--${flag} ${text} is not a number from 1 on`, `like: --${flag} 3`)
}

/** The number in `--version`; null where it is not given. Throws `usage`. */
export const askVersion = (call: Call): number | null => numberIn(call, 'version')

/** A version from the server, which keeps them. Throws `unknown_file`, `unknown_version`, `unreachable`. */
export const fetchVersion = (
  call: Call,
  key: string,
  version: number,
): Promise<FileVersionContent> => getFileVersion(call.target, call.workspace, key, version)
