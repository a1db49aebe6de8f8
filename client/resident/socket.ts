import { mkdirSync, statSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { userHome, withHome } from '../../protocol/own-folder.ts'
import { resolveIn } from '../http/cwd.ts'

/** A socket's path has at most 103 bytes (macOS), 107 (Linux). */
const MAX_PATH_BYTES = 100

/** The folder that all profiles and the link of a user are in. Throws `usage`, `data_unusable`. */
export const homeOf = (home: string | undefined, cwd: string): string =>
  home
    ? resolveIn(cwd, withHome(home, homedir, 'CLAWLINK_HOME'))
    : join(userHome(homedir, 'CLAWLINK_HOME'), '.clawlink')

const hashOf = (text: string): string => {
  const crypto = process.getBuiltinModule('node:crypto') // rarely needed, and slow to load
  return crypto.createHash('sha256').update(text).digest('hex').slice(0, 24)
}

/**
 * The socket of the link of `home`; null without a safe folder for it. A home with too long a path
 * uses a temporary folder that only this user may write to.
 */
export const socketOf = (home: string): string | null => {
  if (process.platform === 'win32') return `\\\\.\\pipe\\clawlink-${hashOf(home)}`
  const path = join(home, 'link.sock')
  if (Buffer.byteLength(path) <= MAX_PATH_BYTES) return path
  const uid = process.getuid?.() ?? -1
  const dir = join(tmpdir(), `clawlink-${uid}`)
  try {
    mkdirSync(dir, { recursive: true, mode: 0o700 })
    const { uid: owner, mode } = statSync(dir)
    return owner === uid && (mode & 0o077) === 0 ? join(dir, `${hashOf(home)}.sock`) : null
  } catch {
    return null
  }
}
