import { resolve } from 'node:path'
import { readProgram } from '../lib/command-line/read.ts'
import { ClawError } from '../protocol/errors.ts'
import { redacted } from '../protocol/roles.ts'
import { banner } from './cli/banner.ts'
import { callOf } from './cli/call.ts'
import { notPrinted, writeAll } from './cli/print.ts'
import { helpText, PROGRAM } from './cli/program.ts'
import { configText, configured, readConfig } from './config/config-file.ts'
import { EXPOSED_HINT, exposed } from './config/exposed.ts'
import { dataFolder, type Options, parseOptions } from './config/options.ts'
import { watchDescriptors } from './descriptors.ts'
import { keepYoungSmall } from './limits/gc.ts'
import { becomeOwnerOf } from './ops/as-owner.ts'
import { Unstopped } from './serving/stopping.ts'
import { placeOf } from './storage/place.ts'

const version = process.env.CLAWLINK_VERSION ?? ''

/** Milliseconds to write the last log line before the process kills itself. */
const LAST_WORDS_MS = 100

/** The error of an incomplete write to stdout; null if all was written. */
let unprinted: string | null = null
const print = (text: string): void => {
  unprinted ??= writeAll(1, text)
}

const run = async (): Promise<void> => {
  // LevelDB creates its files with the umask's permissions, and a reader of them could read every
  // message.
  process.umask(0o077)
  process.stdout.on('error', ({ code = 'EIO' }: NodeJS.ErrnoException) =>
    process.exit(notPrinted(code, 0)),
  )
  const { env } = process
  const { command, ...line } = readProgram(PROGRAM, process.argv.slice(2))
  const config = line.has.has('help') ? null : readConfig(line, env)
  const given = config === null ? line : configured(line, config, env)
  const { values, has } = given
  if (has.has('help')) print(helpText(command))
  else if (command !== null) {
    const carryOut = await command.load(PROGRAM)
    const data = resolve(dataFolder(values.get('data'), env))
    becomeOwnerOf(data)
    const place = placeOf(data, values.get('store') ?? (env.CLAWLINK_STORE || null))
    process.exitCode = await carryOut(callOf(given, { place, env, version, print }))
  } else if (has.has('version')) print(`${version}\n`)
  else {
    const options = parseOptions(given, env)
    if (!has.has('print-config')) return serve(options)
    print(configText(line, config!, env))
  }
  if (unprinted !== null) process.exitCode = notPrinted(unprinted, Number(process.exitCode ?? 0))
}

const serve = async (options: Options): Promise<void> => {
  keepYoungSmall()
  // Loaded late, so that --help and a mistyped option answer at once.
  const [{ createLog }, { startSyncServer }] = await Promise.all([
    import('./logging/log.ts'),
    import('./server.ts'),
  ])
  const log = createLog(options, (text) => writeAll(2, text))
  const server = await startSyncServer(options, version, log)
  watchDescriptors(log)
  log.info({ host: options.host, port: server.port, data: options.data, version }, 'listening')
  const warning = exposed(options)
  if (warning !== null) log.warn({ host: options.host, hint: EXPOSED_HINT }, warning)

  void server.fenced.then(() => {
    const error = new ClawError(
      'data_locked',
      'another server has taken the database, and this one ends',
      'run one server per database, or give this one another schema with --store',
    )
    fail(error)
    process.exit(error.exit)
  })
  let stopping = false
  const stop = (signal: string) => {
    if (stopping) process.exit(1)
    stopping = true
    log.info({ signal }, 'stopping')
    server.close().then(
      () => {
        log.info('stopped')
        process.exit(0)
      },
      (err) => {
        log.fatal({ err }, 'could not stop cleanly')
        // `process.exit` would wait for a hanging write; the log gets a moment to be written.
        if (err instanceof Unstopped && err.hangs) {
          setTimeout(() => process.kill(process.pid, 'SIGKILL'), LAST_WORDS_MS)
          return
        }
        process.exit(1)
      },
    )
  }
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
  // Printed last, because a reader may stop the server at once.
  const script = process.argv[1] ?? ''
  print(banner({ options, port: server.port, version, env: process.env, script }))
  if (unprinted !== null && unprinted !== 'EPIPE')
    log.warn({ code: unprinted }, 'stdout took no welcome')
}

/** Tells an error, before the process ends for it. */
const fail = ({ message, hint }: ClawError): void => {
  writeAll(2, `error: ${redacted(message)}${hint && ` — ${hint}`}\n`)
}

run().catch((thrown: unknown) => {
  const error = ClawError.from(thrown)
  // A server has no such flag; a failed command prints its error as the only document.
  if (process.argv.includes('--json')) {
    print(`${JSON.stringify({ ok: false, error: error.toBody() })}\n`)
  }
  fail(error)
  if (error.code === 'bug') process.stderr.write(`${(thrown as Error).stack}\n`)
  process.exit(error.exit)
})
