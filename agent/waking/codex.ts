import { spawn } from 'node:child_process'
import { readlinkSync } from 'node:fs'
import { homedir } from 'node:os'
import { basename, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { isListening } from '../../client/resident/start.ts'
import type { Environment } from './host-session.ts'

/** Time limit of a command of Codex, in milliseconds. */
const TIMEOUT_MS = 30_000
/** Waits before a failed attempt is repeated, in milliseconds; after the last one the next news wakes. */
const RETRY_AFTER_MS: readonly number[] = [1_000, 2_000, 4_000, 8_000, 16_000, 32_000]
/** The control socket of Codex's daemon, below its home. */
const SOCKET = 'app-server-control/app-server-control.sock'

/** The Codex that runs in process `pid`, so that its daemon and this command are of one version. */
export const codexOf = (pid: number): string => {
  try {
    const program = readlinkSync(`/proc/${pid}/exe`)
    if (/^codex/.test(basename(program))) return program
  } catch {
    // Ended, or not Linux.
  }
  return 'codex'
}

/** True if the command succeeded. Its output is not looked at: warnings of a message that was queued change nothing. */
const run = (program: string, args: readonly string[]): Promise<boolean> =>
  new Promise((resolve) => {
    const child = spawn(program, args, { stdio: 'ignore', timeout: TIMEOUT_MS })
    child.on('error', () => resolve(false))
    child.on('close', (code) => resolve(code === 0))
  })

/** True if the daemon that loads threads answers. */
const hasDaemon = (env: Environment): Promise<boolean> =>
  isListening(join(env.CODEX_HOME || join(homedir(), '.codex'), SOCKET))

/**
 * Starts a turn in a thread of a Codex that runs. In the daemon `--resume` loads a thread that no window shows any more.
 * A Codex without the daemon has the thread itself: a daemon that was started now would carry it out a second time.
 */
export const wakeCodex = async (
  program: string,
  thread: string,
  message: string,
  signal: AbortSignal,
): Promise<void> => {
  for (const wait of [...RETRY_AFTER_MS, null]) {
    const resume = (await hasDaemon(process.env)) ? ['--resume'] : []
    const args = ['queue', '--thread', thread, ...resume, '--message', message]
    if ((await run(program, args)) || wait === null) return
    await sleep(wait, null, { signal })
  }
}
