import { spawn } from 'node:child_process'
import { mkdirSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Level } from 'level'

/** How long a command waits for the link that it started. A link of another version that is busy leaves within that. */
const START_TIMEOUT_MS = 20_000
/** How often to look whether the link listens, or its place has become free. */
const RETRY_MS = 15

/** Whether somebody listens there. */
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
  try {
    mkdirSync(home, { recursive: true, mode: 0o700 })
  } catch {
    return false
  }
  const child = spawn(process.execPath, [core, '--link'], {
    cwd: home,
    env: { ...process.env, CLAWLINK_HOME: home },
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

/**
 * Waits to be the only link of `home`; null: another one listens. The lock is the kernel's and goes with the process
 * that has it, however that ends.
 */
export const lockHome = async (home: string, path: string): Promise<Level | null> => {
  const dir = join(home, 'link.lock')
  for (const deadline = Date.now() + START_TIMEOUT_MS; ; await sleep(RETRY_MS)) {
    const lock = new Level(dir)
    try {
      await lock.open()
      return lock
    } catch (error) {
      const cause = (error as Error).cause as { code?: string; message?: string } | undefined
      const isLocked = cause?.code === 'LEVEL_LOCKED'
      if (isLocked && (await isListening(path))) return null
      if (Date.now() > deadline) throw error
      // Nothing is kept in it: a damaged one is made anew.
      if (!isLocked && cause?.code === 'LEVEL_CORRUPTION') rmSync(dir, { recursive: true })
      // Another one may just be doing that.
      else if (!isLocked && !/no such file/i.test(cause?.message ?? '')) throw error
    }
  }
}
