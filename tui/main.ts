import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { workingDir } from '../client/http/cwd.ts'
import { attach } from '../client/resident/attach.ts'
import { noLink } from '../client/resident/run.ts'
import { homeOf, socketOf } from '../client/resident/socket.ts'
import { notPrinted, write } from '../lib/disk/stdout.ts'
import { ClawError } from '../protocol/errors.ts'
import { parseTuiOptions } from './options.ts'

/** A link that is there answers within this time (milliseconds); a frame that says it opens would only flicker. */
const SOON_MS = 60

const version = process.env.CLAWLINK_VERSION ?? 'unknown'

/** The join link in a file. Throws `usage`. */
const linkIn = (file: string): string => {
  try {
    return readFileSync(resolve(workingDir(), file), 'utf8').trim()
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code ?? (error as Error).message
    throw new ClawError('usage', `cannot read ${file} (${why})`, 'name a file with a join link')
  }
}

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
  const link = options.linkFile === null ? [] : ['--relay', linkIn(options.linkFile)]
  const attachWith = (more: readonly string[]) =>
    attach({ home, socket, core, version, flags: [...options.flags, ...more] })
  const opening = options.asksLink ? null : attachWith(link)
  opening?.catch(() => {}) // the screen says it
  const { startApp } = await import('./start.tsx')
  const attachBy = (given: string) => attachWith(['--relay', given])
  const { theme } = options
  const soon =
    opening === null ? null : await Promise.race([opening.catch(() => null), sleep(SOON_MS, null)])
  return startApp({
    ...{ opening, attached: soon, attachBy, stdin, stdout, stderr, env },
    ...(theme !== undefined && { theme }),
  }).done
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
