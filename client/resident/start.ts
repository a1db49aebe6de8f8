import { spawn } from 'node:child_process'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { makeOwnDir } from '../../lib/disk/own-file.ts'
import { resolveIn, workingDir } from '../http/cwd.ts'
import { foreignLink } from '../http/home.ts'

/** Timeout of a started link, in milliseconds. A busy link of another version leaves within it. */
export const START_TIMEOUT_MS = 20_000
/** Interval of looks whether the link listens, or its socket has become free, in milliseconds. */
export const RETRY_MS = 15

/** True if a process listens there. */
export const isListening = (path: string): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(path)
    const end = (is: boolean) => () => {
      socket.destroy()
      resolve(is)
    }
    socket.on('connect', end(true))
    socket.on('error', end(false))
  })

/**
 * Starts a link for `home` and waits until one listens at `path`, this one or another that was faster. False where
 * none can be started.
 */
export const startLink = async (home: string, path: string, core: string): Promise<boolean> => {
  if (foreignLink(home, path) !== null) return false
  try {
    makeOwnDir(home)
  } catch {
    return false
  }
  const { CLAWLINK_CA: ca } = process.env // by a path from where it is given, and not from `home`
  const child = spawn(process.execPath, [core, '--link'], {
    cwd: home,
    env: {
      ...process.env,
      CLAWLINK_HOME: home,
      ...(ca && { CLAWLINK_CA: resolveIn(workingDir(), ca) }),
    },
    detached: true,
    stdio: 'ignore',
    windowsHide: true,
  })
  child.unref()
  let failed = false
  child.on('error', () => {
    failed = true
  })
  child.on('exit', (code) => {
    failed = code !== 0
  })
  const deadline = Date.now() + START_TIMEOUT_MS
  while (!failed && Date.now() < deadline) {
    if (await isListening(path)) return true
    await sleep(RETRY_MS)
  }
  return false
}
