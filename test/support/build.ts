import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root } from './server.ts'

/** The process that has built: two projects of one run share what it did. */
const BUILT_BY = 'CLAWLINK_TEST_BUILT_BY'

/**
 * Tests of the programs run what is built, so it is built first, always. All their folders are in one, which goes
 * when they are done: a link whose home is gone stops by itself.
 */
export const setup = (): (() => void) => {
  if (process.env[BUILT_BY] === String(process.pid)) return () => {}
  process.env[BUILT_BY] = String(process.pid)
  execFileSync(process.execPath, ['scripts/build.mjs'], { cwd: root, stdio: 'inherit' })
  const dir = mkdtempSync(join(tmpdir(), 'clawlink-test-'))
  process.env.CLAWLINK_TEST_DIR = dir
  // By which the agents of tests join the servers of tests.
  process.env.CLAWLINK_RUN_DIR = join(dir, 'run')
  // A link that has not noticed yet may write once more.
  return () => rmSync(dir, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 })
}
