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
/** The warning beside exit 0. Codex 0.171.0 */
const NOT_RESUMED = /could not resume/i
/** Output that is looked through for warnings, in characters. */
const MAX_OUTPUT = 64 * 1024

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

const run = (program: string, args: readonly string[]): Promise<{ ok: boolean; said: string }> =>
  new Promise((resolve) => {
    let said = ''
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], timeout: TIMEOUT_MS })
    const read = (chunk: Buffer) => {
      if (said.length < MAX_OUTPUT) said += chunk
    }
    child.stdout.on('data', read)
    child.stderr.on('data', read)
    child.on('error', () => resolve({ ok: false, said }))
    child.on('close', (code) => resolve({ ok: code === 0, said }))
  })

/** True if the daemon that loads threads answers. */
const hasDaemon = (env: Environment): Promise<boolean> =>
  isListening(join(env.CODEX_HOME || join(homedir(), '.codex'), SOCKET))

/**
 * Starts a turn in a thread of Codex. `--resume` loads a thread that no window shows any more. If the daemon is dead
 * Codex queues the message, warns and exits 0; only another message then resumes the thread. So the daemon comes first.
 */
export const wakeCodex = async (
  program: string,
  thread: string,
  message: string,
  signal: AbortSignal,
): Promise<void> => {
  const queue = ['queue', '--thread', thread, '--resume', '--message', message]
  for (const wait of [...RETRY_AFTER_MS, null]) {
    if (!(await hasDaemon(process.env))) await run(program, ['app-server', 'daemon', 'start'])
    const queued = await run(program, queue)
    if (queued.ok && !NOT_RESUMED.test(queued.said)) return
    if (wait === null) return
    await sleep(wait, null, { signal })
  }
}
