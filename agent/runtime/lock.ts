import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Level } from 'level'
import { isListening, RETRY_MS, START_TIMEOUT_MS } from '../../client/resident/start.ts'

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
