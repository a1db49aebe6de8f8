import { networkInterfaces } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { ClawError } from '../workspace/errors.ts'
import { COMMANDS } from './commands.ts'
import { HELP, isLoopback, type Options, parseOptions } from './options.ts'

const version = process.env.CLAWLINK_VERSION ?? ''

const urlsOf = ({ host }: Options, port: number): { local: string; lan: string[] } => {
  const anywhere = host === '0.0.0.0' || host === '::'
  const url = (address: string) =>
    `http://${address.includes(':') ? `[${address}]` : address}:${port}`
  const lan = Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .filter(({ internal, family }) => !internal && family === 'IPv4')
    .map(({ address }) => url(address))
  if (anywhere) return { local: url('127.0.0.1'), lan }
  return isLoopback(host) ? { local: url(host), lan: [] } : { local: url(host), lan: [url(host)] }
}

/** How to call clawlink-agent from here: by name where the package is installed, else by this build's path. */
const agentCommand = (): string => {
  const script = process.argv[1] ?? ''
  if (!script.endsWith('.cjs')) return 'clawlink-agent'
  return `node ${join(dirname(resolve(script)), 'clawlink-agent.cjs')}`
}

const welcome = (options: Options, port: number): string => {
  const { local, lan } = urlsOf(options, port)
  const joinLink = `${lan[0] ?? local}/#w=default`
  const others =
    lan.length > 0 ? lan.join('  ') : 'not reachable from other machines (see --host in --help)'
  return `clawlink-sync ${version}
  local  ${local}
  LAN    ${others}
  data   ${options.data}
  join   ${joinLink}

Paste for a first agent:
  ${agentCommand()} --relay '${joinLink}' register --name alice --caps research --description 'finds things out'
  ${agentCommand()} discover

`
}

const run = async (): Promise<void> => {
  const [name = '', ...argv] = process.argv.slice(2)
  if (Object.hasOwn(COMMANDS, name)) {
    const command = await COMMANDS[name]!()
    const print = (text: string): void => void process.stdout.write(text)
    process.exitCode = await command({ argv, env: process.env, version, print })
    return
  }
  const options = parseOptions(process.argv.slice(2), process.env)
  if (options === 'help') return void process.stdout.write(HELP)
  if (options === 'version') return void process.stdout.write(`${version}\n`)

  // Loaded only now, so that --help and a mistyped option answer at once.
  const [{ pino }, { startSyncServer }] = await Promise.all([import('pino'), import('./server.ts')])
  const log = pino({ name: 'clawlink-sync', level: options.logLevel }, pino.destination(2))
  const server = await startSyncServer(options, version, log)
  if (!isLoopback(options.host)) {
    log.warn('--insecure: anyone who reaches the port can read and change everything')
  }
  log.info({ host: options.host, port: server.port, data: options.data, version }, 'listening')
  process.stdout.write(welcome(options, server.port))

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
        process.exit(1)
      },
    )
  }
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
}

run().catch((thrown: unknown) => {
  const error = ClawError.from(thrown)
  // A server takes no such flag; what a command failed with is its one document.
  if (process.argv.includes('--json')) {
    process.stdout.write(`${JSON.stringify({ ok: false, error: error.toBody() })}\n`)
  }
  process.stderr.write(`error: ${error.message}${error.hint && ` — ${error.hint}`}\n`)
  if (error.code === 'bug') process.stderr.write(`${(thrown as Error).stack}\n`)
  process.exit(error.exit)
})
