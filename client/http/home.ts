import {
  accessSync,
  constants,
  lstatSync,
  readdirSync,
  readFileSync,
  type Stats,
  statSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { makeOwnDir } from '../../lib/disk/own-file.ts'
import { ClawError } from '../../protocol/errors.ts'

/** So many files are looked at for one that is another user's. */
const MAX_LOOKED_AT = 2_000

const me = (): number => process.getuid?.() ?? -1
const userOf = (uid: number): string => (uid === 0 ? 'root' : `user ${uid}`)

/** True if a process has a socket there, or if the system does not tell. */
const isBound = (path: string): boolean => {
  try {
    return readFileSync('/proc/net/unix', 'utf8').includes(` ${path}\n`)
  } catch {
    return true
  }
}

/**
 * The error if the link of another user has this home; null if none has, or if this user may use
 * it.
 */
export const foreignLink = (home: string, socket: string | null): ClawError | null => {
  const found = socket === null ? undefined : lookAt(socket)
  if (found === undefined || me() <= 0 || found.uid === me() || !isBound(socket!)) return null
  return new ClawError(
    'not_allowed',
    `a link of ${userOf(found.uid)} has the home ${home}`,
    `${handOver(found.uid, home)}; or name another home by CLAWLINK_HOME`,
  )
}

/** The command that gives a home back to its user. */
const handOver = (uid: number, home: string): string => {
  const by = uid === 0 ? 'sudo' : `sudo -u '#${uid}'`
  return `end it and take the files back: ${by} env CLAWLINK_HOME=${home} clawlink-agent down; sudo chown -R ${me()} ${home}`
}

const lookAt = (path: string): Stats | undefined => {
  try {
    return lstatSync(path, { throwIfNoEntry: false })
  } catch {
    return undefined
  }
}

/** The error if this user cannot use a home, with what to do; null if none is found. */
export const homeTrouble = (home: string): ClawError | null => {
  try {
    makeOwnDir(home)
    accessSync(home, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch (thrown) {
    const error = ClawError.from(thrown)
    return new ClawError(error.code, error.message, `name another home: CLAWLINK_HOME=DIR`)
  }
  const file = me() > 0 ? foreignFile(home, { left: MAX_LOOKED_AT }) : null
  if (file === null) return null
  return new ClawError(
    'data_unusable',
    `${file.path} belongs to ${userOf(file.uid)}, and cannot be used`,
    `take it back: sudo chown -R ${me()} ${home}`,
  )
}

const foreignFile = (
  dir: string,
  bound: { left: number },
): { path: string; uid: number } | null => {
  for (const entry of readdirSync(dir, { withFileTypes: true })) {
    if (bound.left-- <= 0) return null
    const path = join(dir, entry.name)
    const found = lookAt(path)
    if (found !== undefined && found.uid !== me() && !isUsable(path)) {
      return { path, uid: found.uid }
    }
    const inner = entry.isDirectory() ? foreignFile(path, bound) : null
    if (inner !== null) return inner
  }
  return null
}

const isUsable = (path: string): boolean => {
  try {
    accessSync(path, constants.R_OK | constants.W_OK)
    return true
  } catch {
    return false
  }
}

/**
 * By sudo, in a home of the user who called it, root becomes that user: files that root makes there lock its user out.
 * What can only be read or written as root fails then.
 */
export const becomeSudoUser = (home: string): void => {
  const uid = Number(process.env.SUDO_UID)
  if (process.getuid?.() !== 0 || !(uid > 0)) return
  let at = home
  while (lookAt(at) === undefined && dirname(at) !== at) at = dirname(at)
  const { uid: owner, gid } = statSync(at)
  if (owner !== uid) return
  process.setgroups!([gid])
  process.setgid!(gid)
  process.setuid!(uid)
}
