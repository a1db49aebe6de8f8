import { join } from 'node:path'
import { workingDir } from '../client/http/cwd.ts'
import { attach } from '../client/resident/attach.ts'
import { noLink } from '../client/resident/run.ts'
import { homeOf, socketOf } from '../client/resident/socket.ts'
import { notPrinted, write } from '../lib/disk/stdout.ts'
import { ClawError } from '../protocol/errors.ts'
import { parseTuiOptions } from './options.ts'

const version = process.env.CLAWLINK_VERSION ?? 'unknown'

const run = async (): Promise<number> => {
  const { stdin, stdout, stderr, env } = process
  const options = parseTuiOptions(process.argv.slice(2), env, version)
  if (typeof options === 'string') {
    const failed = await write(1, options)
    return failed === null ? 0 : notPrinted(failed)
  }
  if (!stdin.isTTY || !stdout.isTTY) {
    throw new ClawError(
      'usage',
      'clawlink needs a terminal on stdin and stdout',
      'scripts and agents use clawlink-agent (see clawlink-agent --help)',
    )
  }
  const home = homeOf(env.CLAWLINK_HOME, workingDir())
  const socket = socketOf(home)
  if (socket === null) throw noLink(home)
  // The link starts, or answers, while the rest is loaded.
  const core = join(import.meta.dirname, 'clawlink-agent-core.cjs')
  const opening = attach({ home, socket, core, version, flags: options.flags })
  opening.catch(() => {}) // the screen says it
  const { startApp } = await import('./start.tsx')
  return startApp({ opening, stdin, stdout, stderr, env }).done
}

run().then(
  (code) => process.exit(code),
  (thrown: unknown) => {
    const error = ClawError.from(thrown)
    const hint = error.hint === '' ? '' : ` — ${error.hint}`
    process.stderr.write(`error: ${error.message}${hint}\n`)
    if (error.code === 'bug') process.stderr.write(`${(thrown as Error).stack}\n`)
    process.exit(error.exit)
  },
)
