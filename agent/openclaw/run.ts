import { execFile } from 'node:child_process'
import { ClawError } from '../../protocol/errors.ts'

/** OpenClaw's own limit for a call of its gateway is 30 s. */
const TIMEOUT_MS = 60_000
const MAX_OUTPUT_BYTES = 16 * 1024 * 1024

/** Result and output of a program. */
interface Ran {
  ok: boolean
  stdout: string
  stderr: string
}

/** Runs a program to its end. Throws the error of one that cannot be started. */
export const runProgram = (
  program: string,
  args: readonly string[],
  options: { cwd?: string | undefined } = {},
): Promise<Ran> =>
  new Promise((resolve, reject) => {
    const limits = { timeout: TIMEOUT_MS, maxBuffer: MAX_OUTPUT_BYTES, ...options }
    const child = execFile(program, [...args], limits, (error, stdout, stderr) => {
      if (error !== null && typeof error.code === 'string') reject(error)
      else resolve({ ok: error === null, stdout, stderr })
    })
    child.stdin?.end()
  })

/**
 * Runs a command of OpenClaw's CLI and returns its output. Throws `openclaw_missing`,
 * `openclaw_refused` with the output, and `unreachable` if its gateway is not running.
 */
export const runOpenclaw = async (args: readonly string[]): Promise<unknown> => {
  const { ok, stdout, stderr } = await runProgram('openclaw', args).catch((error) => {
    throw new ClawError(
      'openclaw_missing',
      `openclaw cannot be run here: ${(error as NodeJS.ErrnoException).code}`,
      'install it (npm install -g openclaw), or see docs/hosts.md for other agents',
    )
  })
  const answer = parse(stdout)
  if (ok) return answer
  const said = (answer as { error?: { message?: string } } | null)?.error?.message ?? stderr
  const message = `openclaw ${args.slice(0, 2).join(' ')}: ${said.trim() || 'failed'}`
  if (/gateway not reachable|requires credentials|ECONNREFUSED/i.test(said)) {
    throw new ClawError(
      'unreachable',
      message,
      'start it: openclaw gateway run (or openclaw gateway start)',
    )
  }
  throw new ClawError('openclaw_refused', message, 'openclaw doctor may say more')
}

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
