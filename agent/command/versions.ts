import {
  type FileVersionContent,
  getFileVersion,
  type WhichVersion,
} from '../../client/http/api.ts'
import type { Call } from './call.ts'

/** The version that `--version`, `--at` or `--checkpoint` names; null where none is given. Throws `usage`. */
export const askVersion = (call: Call): WhichVersion | null => {
  const version = call.number('version')
  const [at, checkpoint] = [call.flag('at'), call.flag('checkpoint')]
  if (version !== undefined) return { version }
  if (at !== undefined) return { at }
  return checkpoint === undefined ? null : { checkpoint }
}

/**
 * A version from the server, which keeps them. Throws `unknown_file`, `unknown_version`, `unknown_checkpoint`, `not_text`,
 * `unreachable`.
 */
export const fetchVersion = (
  call: Call,
  key: string,
  which: WhichVersion,
): Promise<FileVersionContent> => getFileVersion(call.target, call.workspace, key, which)
