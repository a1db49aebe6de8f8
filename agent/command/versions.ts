import { type FileVersionContent, getFileVersion } from '../../client/http/api.ts'
import type { Call } from './call.ts'

/** The number in `--version`; null where it is not given. Throws `usage`. */
export const askVersion = (call: Call): number | null => call.number('version') ?? null

/** A version from the server, which keeps them. Throws `unknown_file`, `unknown_version`, `unreachable`. */
export const fetchVersion = (
  call: Call,
  key: string,
  version: number,
): Promise<FileVersionContent> => getFileVersion(call.target, call.workspace, key, version)
