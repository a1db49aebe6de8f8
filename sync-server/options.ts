import { homedir } from 'node:os'
import { join } from 'node:path'
import { ClawError } from '../workspace/errors.ts'
import { didYouMean } from '../workspace/suggest.ts'
import { COMMANDS } from './commands.ts'
import { readFlags } from './flags.ts'
import { type Proxies, parseProxies } from './guard/address.ts'
import { LIMITS, type Limits, parseLimits } from './guard/limits.ts'
import {
  ARCHIVE_AFTER_MS,
  HEARTBEAT_MS,
  LEASE_MS,
  OFFER_MS,
  SWEEP_MS,
  TLS_LOOK_MS,
} from './limits.ts'
import type { TlsFiles } from './tls.ts'

/** ClawLink's own port. */
export const DEFAULT_PORT = 9077
const DAY_MS = 24 * 60 * 60_000

export const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

export interface Options {
  host: string
  /** 0: any free port. */
  port: number
  /** Folder of the database. */
  data: string
  logLevel: LogLevel
  /** Between two pings, in milliseconds: who is silent for two of these is cut off. */
  heartbeatMs: number
  /** A task goes back so long after its owner was last seen, in milliseconds. */
  leaseMs: number
  /** More agents are asked to take an open task after so long, in milliseconds; `CLAWLINK_OFFER` (seconds) changes it. */
  offerMs: number
  /** An ended task leaves the document after so long, in milliseconds. */
  archiveAfterMs: number
  /** How often what is old is cleared; `CLAWLINK_SWEEP` (seconds) changes it. */
  sweepMs: number
  /** null: it speaks plain HTTP. */
  tls: TlsFiles | null
  /** How often it is looked whether the certificate was renewed; `CLAWLINK_TLS_LOOK` (seconds) changes it. */
  tlsLookMs: number
  /** How others reach it; null: where it listens. */
  publicUrl: string | null
  isProxy: Proxies
  /** Announces itself on its network; never on loopback. */
  hasMdns: boolean
  limits: Limits
}

const LIMIT_LINES = Object.entries(LIMITS)
  .map(([name, { is, what }]) => `      ${`${name}=${is}`.padEnd(28)} ${what}`)
  .join('\n')

export const HELP = `clawlink-sync: hosts ClawLink workspaces for agents and people

usage: clawlink-sync [options]           starts a server
       clawlink-sync COMMAND [options]   works on the data of one, running or not

  invite               a join link for an agent or a person, or with --http a token for
                       agents that speak plain HTTP; agents, invites, revoke, rotate,
                       audit and recover are about who may
  backup DIR           a copy of everything, as it is at one moment
  restore BACKUP       makes a data folder of a backup
  verify [BACKUP]      checks every record, in the data folder or in a backup
  doctor               what is wrong with this machine, folder or server, if anything
  export DIR           agents, tasks, broadcasts and files, to be read without ClawLink
                       (clawlink-sync COMMAND --help says more)

  --host HOST         address to listen on (127.0.0.1)             CLAWLINK_HOST
  --port PORT         port to listen on (9077; 0: any free one)    CLAWLINK_PORT
  --data DIR          where everything is stored (~/.clawlink/sync) CLAWLINK_DATA
  --log-level LEVEL   ${LOG_LEVELS.join(' ')} (info)   CLAWLINK_LOG_LEVEL
  --heartbeat SECONDS between two pings; who is silent over two of them
                      is gone (12)                                 CLAWLINK_HEARTBEAT
  --lease SECONDS     a task goes back when its owner was not seen for so long
                      (600)                                        CLAWLINK_LEASE
  --archive-after DAYS ended tasks leave the document, and are kept beside it
                      (7)                                          CLAWLINK_ARCHIVE_AFTER
  --tls-cert FILE     serve TLS with this certificate and its chain (PEM); taken up
  --tls-key FILE      again when it is renewed         CLAWLINK_TLS_CERT, CLAWLINK_TLS_KEY
  --public-url URL    how others reach it, for join links; behind a proxy, with its
                      path                                         CLAWLINK_PUBLIC_URL
  --trust-proxy LIST  proxies whose X-Forwarded-For is believed: addresses, networks,
                      loopback                                     CLAWLINK_TRUST_PROXY
  --no-mdns           do not announce it on the network             CLAWLINK_MDNS=off
  --limit NAME=N,…    what one may take of it                      CLAWLINK_LIMIT
${LIMIT_LINES}
  --help              this text
  --version           the version

A flag wins over its environment variable. Logs go to stderr, one JSON object a line.
Stop it with SIGTERM or Ctrl-C: it finishes what it has begun and exits 0.

examples:
  clawlink-sync
  clawlink-sync invite --role write --uses 5
  clawlink-sync --port 9100 --data /var/lib/clawlink
`

const FLAGS = {
  host: { type: 'string' },
  port: { type: 'string' },
  data: { type: 'string' },
  'log-level': { type: 'string' },
  heartbeat: { type: 'string' },
  lease: { type: 'string' },
  'archive-after': { type: 'string' },
  'tls-cert': { type: 'string' },
  'tls-key': { type: 'string' },
  'public-url': { type: 'string' },
  'trust-proxy': { type: 'string' },
  limit: { type: 'string' },
  'no-mdns': { type: 'boolean' },
  /** Of before there was access control; means nothing now. */
  insecure: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean', short: 'V' },
} as const

export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host)

/** Where everything is stored: what `--data` says, else the environment, else below the home. */
export const dataFolder = (
  flag: string | boolean | undefined,
  env: Readonly<Record<string, string | undefined>>,
): string => String(flag ?? (env.CLAWLINK_DATA || join(homedir(), '.clawlink', 'sync')))

/** Whether it is every address of this machine. */
export const isAnywhere = (host: string): boolean => host === '0.0.0.0' || host === '::'

/** How programs on this machine reach a server that listens there. */
export const urlOf = ({ host, tls }: Pick<Options, 'host' | 'tls'>, port: number): string => {
  const address = isAnywhere(host) ? '127.0.0.1' : host
  return `${tls === null ? 'http' : 'https'}://${address.includes(':') ? `[${address}]` : address}:${port}`
}

/** Reads flags and environment. Throws `usage`. */
export const parseOptions = (
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Options | 'help' | 'version' => {
  const { values, positionals } = readFlags(argv, FLAGS)
  const [extra] = positionals
  if (extra !== undefined) {
    throw usage(`unexpected argument "${extra}"`, didYouMean(extra, Object.keys(COMMANDS)))
  }
  if (values.help) return 'help'
  if (values.version) return 'version'

  const text = (flag: keyof typeof FLAGS, variable: string, otherwise: string): string =>
    String(values[flag] ?? (env[variable] || otherwise))
  const port = text('port', 'CLAWLINK_PORT', String(DEFAULT_PORT))
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
    throw usage(`"${port}" is not a port`, 'give a number from 0 to 65535')
  }
  const logLevel = text('log-level', 'CLAWLINK_LOG_LEVEL', 'info') as LogLevel
  if (!LOG_LEVELS.includes(logLevel)) {
    throw usage(`"${logLevel}" is not a log level`, `one of: ${LOG_LEVELS.join(', ')}`)
  }
  const heartbeat = text('heartbeat', 'CLAWLINK_HEARTBEAT', String(HEARTBEAT_MS / 1000))
  if (!/^\d{1,2}(\.\d{1,3})?$/.test(heartbeat) || Number(heartbeat) < 0.1) {
    throw usage(`"${heartbeat}" is not a heartbeat`, 'give seconds, from 0.1 to 99')
  }
  const positive = (flag: 'lease' | 'archive-after', variable: string, otherwise: number) => {
    const given = text(flag, variable, String(otherwise))
    if (/^\d{1,7}(\.\d{1,6})?$/.test(given) && Number(given) > 0) return Number(given)
    throw usage(`"${given}" is no --${flag}`, `give a number above 0, like ${otherwise}`)
  }
  const leaseMs = positive('lease', 'CLAWLINK_LEASE', LEASE_MS / 1000) * 1000
  const archiveAfterMs =
    positive('archive-after', 'CLAWLINK_ARCHIVE_AFTER', ARCHIVE_AFTER_MS / DAY_MS) * DAY_MS
  const offerMs = Number(env.CLAWLINK_OFFER) * 1_000 || OFFER_MS
  const host = text('host', 'CLAWLINK_HOST', '127.0.0.1')
  const data = dataFolder(values.data, env)
  const cert = text('tls-cert', 'CLAWLINK_TLS_CERT', '')
  const key = text('tls-key', 'CLAWLINK_TLS_KEY', '')
  if ((cert === '') !== (key === '')) {
    throw usage('--tls-cert and --tls-key belong together', 'give both, or neither')
  }
  const publicUrl = text('public-url', 'CLAWLINK_PUBLIC_URL', '').replace(/\/+$/, '')
  if (publicUrl !== '' && !/^https?:\/\/[^/?#@]+(?:\/[^?#]*)?$/.test(publicUrl)) {
    throw usage(`"${publicUrl}" is no --public-url`, 'like https://team.example.org/clawlink')
  }
  const heartbeatMs = Number(heartbeat) * 1000
  const sweepMs = Number(env.CLAWLINK_SWEEP) * 1_000 || SWEEP_MS
  return {
    ...{ host, port: Number(port), data, logLevel, heartbeatMs, sweepMs },
    ...{ leaseMs, offerMs, archiveAfterMs },
    tls: cert === '' ? null : { cert, key },
    publicUrl: publicUrl === '' ? null : publicUrl,
    isProxy: parseProxies(text('trust-proxy', 'CLAWLINK_TRUST_PROXY', '')),
    hasMdns: !isLoopback(host) && values['no-mdns'] !== true && env.CLAWLINK_MDNS !== 'off',
    limits: parseLimits(text('limit', 'CLAWLINK_LIMIT', '')),
    tlsLookMs: Number(env.CLAWLINK_TLS_LOOK) * 1_000 || TLS_LOOK_MS,
  }
}

const usage = (message: string, hint = ''): ClawError =>
  new ClawError('usage', message, hint || 'see clawlink-sync --help')
