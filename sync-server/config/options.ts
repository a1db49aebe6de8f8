import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import {
  choiceIn,
  type Given,
  numberIn,
  spanIn,
  withEnvironment,
} from '../../lib/command-line/values.ts'
import { ClawError } from '../../protocol/errors.ts'
import { userHome, withHome } from '../../protocol/own-folder.ts'
import {
  DEFAULT_PORT,
  LOG_FORMATS,
  LOG_LEVELS,
  type LogFormat,
  type LogLevel,
  type SERVER_FLAGS,
} from './flags.ts'
import {
  ARCHIVE_AFTER_MS,
  HEARTBEAT_MS,
  LEASE_MS,
  OFFER_MS,
  SWEEP_MS,
  TLS_LOOK_MS,
} from './limits.ts'
import { type Proxies, parseProxies } from './proxies.ts'
import { type Limits, parseLimits } from './quotas.ts'
import type { TlsFiles } from './tls.ts'

const DAY_MS = 24 * 60 * 60_000

export interface Options {
  host: string
  /** 0: any free port. */
  port: number
  /** The data folder. */
  data: string
  /** The address of a PostgreSQL database; null: as the data folder says. */
  store: string | null
  /** The address of this node for the others; null: a single server. */
  nodeUrl: string | null
  /** The address of this node for clients of its workspaces; null: they stay with the node that they came to. */
  directUrl: string | null
  logLevel: LogLevel
  /** `auto`: text on a terminal, else JSON. */
  logFormat: LogFormat
  /** The backups that the server makes by itself; null: none. */
  backups: { dir: string; everyMs: number; keep: number } | null
  /** Between two pings, in milliseconds: who is silent for two of these is cut off. */
  heartbeatMs: number
  /** Time after which an away owner loses its task, in milliseconds. */
  leaseMs: number
  /** Time after which an open task is offered to more agents, in milliseconds; `CLAWLINK_OFFER` (seconds) sets it. */
  offerMs: number
  /** Time after which an ended task is archived, in milliseconds. */
  archiveAfterMs: number
  /** Interval of clearing; `CLAWLINK_SWEEP` (seconds) sets it. */
  sweepMs: number
  /** null: it speaks plain HTTP. */
  tls: TlsFiles | null
  /** Interval of checks for a renewed certificate; `CLAWLINK_TLS_LOOK` (seconds) sets it. */
  tlsLookMs: number
  /** Address for others; null: the one it listens on. */
  publicUrl: string | null
  isProxy: Proxies
  /** Announces itself on its network; never on loopback. */
  hasMdns: boolean
  limits: Limits
}

export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host)

/** The data folder: `--data`, else the environment, else below the home folder. Throws `usage`. */
export const dataFolder = (
  flag: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): string => {
  if (flag !== undefined) return withHome(flag, homedir, '--data')
  if (env.CLAWLINK_DATA) return withHome(env.CLAWLINK_DATA, homedir, 'CLAWLINK_DATA')
  return join(userHome(homedir, 'CLAWLINK_DATA'), '.clawlink', 'sync')
}

/** True for the wildcard addresses: the server listens on all addresses of this machine. */
export const isAnywhere = (host: string): boolean => host === '0.0.0.0' || host === '::'

/** URL of the server for programs on this machine. */
export const urlOf = ({ host, tls }: Pick<Options, 'host' | 'tls'>, port: number): string => {
  const address = isAnywhere(host) ? '127.0.0.1' : host
  return `${tls === null ? 'http' : 'https'}://${address.includes(':') ? `[${address}]` : address}:${port}`
}

/** Reads flags and environment. Throws `usage`. */
export const parseOptions = (
  line: Given,
  env: Readonly<Record<string, string | undefined>>,
): Options => {
  const given = withEnvironment(line, env)
  const { values, has } = given
  const text = (flag: keyof typeof SERVER_FLAGS): string => values.get(flag) ?? ''
  const host = (text('host') || '127.0.0.1').replace(/^\[(.*)\]$/, '$1')
  const [cert, key] = [text('tls-cert'), text('tls-key')]
  if ((cert === '') !== (key === '')) {
    throw usage('--tls-cert and --tls-key go together', 'give both or neither')
  }
  return {
    ...{ host, port: numberIn(given, 'port') ?? DEFAULT_PORT },
    data: dataFolder(line.values.get('data'), env),
    store: values.get('store') || null,
    nodeUrl: text('node-url') === '' ? null : urlIn('node-url', text('node-url')),
    directUrl: text('direct-url') === '' ? null : directIn(text('direct-url')),
    logLevel: choiceIn(given, 'log-level', LOG_LEVELS) ?? 'info',
    logFormat: choiceIn(given, 'log-format', LOG_FORMATS) ?? 'auto',
    backups: backupsIn(given),
    heartbeatMs: (numberIn(given, 'heartbeat') ?? HEARTBEAT_MS / 1000) * 1000,
    leaseMs: (numberIn(given, 'lease') ?? LEASE_MS / 1000) * 1000,
    archiveAfterMs: (numberIn(given, 'archive-after') ?? ARCHIVE_AFTER_MS / DAY_MS) * DAY_MS,
    offerMs: Number(env.CLAWLINK_OFFER) * 1_000 || OFFER_MS,
    sweepMs: Number(env.CLAWLINK_SWEEP) * 1_000 || SWEEP_MS,
    tls: cert === '' ? null : { cert, key },
    tlsLookMs: Number(env.CLAWLINK_TLS_LOOK) * 1_000 || TLS_LOOK_MS,
    publicUrl: text('public-url') === '' ? null : urlIn('public-url', text('public-url')),
    isProxy: parseProxies(text('trust-proxy')),
    hasMdns: !isLoopback(host) && !has.has('no-mdns') && env.CLAWLINK_MDNS !== 'off',
    limits: parseLimits(text('limit')),
  }
}

/** Backups kept, unless it is said. */
const KEPT_BACKUPS = 14

const backupsIn = (given: Given): Options['backups'] => {
  const dir = given.values.get('backup-dir')
  if (!dir) return null
  return {
    dir: resolve(withHome(dir, homedir, '--backup-dir')),
    everyMs: spanIn(given, 'backup-every') ?? DAY_MS,
    keep: numberIn(given, 'backup-keep') ?? KEPT_BACKUPS,
  }
}

/** The address of a server for others, without a slash at its end. Throws `usage`. */
export const urlIn = (flag: string, text: string): string => {
  if (/^https?:\/\/[^/?#@\s]+(?:\/[^?#\s]*)?$/.test(text)) return text.replace(/\/+$/, '')
  throw usage(`--${flag} "${text}" is not an address`, 'like https://team.example.org/clawlink')
}

/** Links follow it over TLS only. */
const directIn = (text: string): string => {
  if (text.startsWith('https:')) return urlIn('direct-url', text)
  throw usage(`--direct-url "${text}" is not the address of a TLS server`, 'begin it with https://')
}

const usage = (message: string, hint = ''): ClawError =>
  new ClawError('usage', message, hint || 'run clawlink-sync --help')
