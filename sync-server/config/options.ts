import { homedir } from 'node:os'
import { join } from 'node:path'
import type { Given } from '../../lib/command-line/read.ts'
import { ClawError } from '../../protocol/errors.ts'
import { userHome, withHome } from '../../protocol/own-folder.ts'
import { DEFAULT_PORT, LOG_LEVELS, type LogLevel, type SERVER_FLAGS } from './flags.ts'
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

export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host)

/** Where everything is stored: what `--data` says, else the environment, else below the home. Throws `usage`. */
export const dataFolder = (
  flag: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): string => {
  if (flag !== undefined) return withHome(flag, homedir, '--data')
  if (env.CLAWLINK_DATA) return withHome(env.CLAWLINK_DATA, homedir, 'CLAWLINK_DATA')
  return join(userHome(homedir, 'CLAWLINK_DATA'), '.clawlink', 'sync')
}

/** Whether it is every address of this machine. */
export const isAnywhere = (host: string): boolean => host === '0.0.0.0' || host === '::'

/** How programs on this machine reach a server that listens there. */
export const urlOf = ({ host, tls }: Pick<Options, 'host' | 'tls'>, port: number): string => {
  const address = isAnywhere(host) ? '127.0.0.1' : host
  return `${tls === null ? 'http' : 'https'}://${address.includes(':') ? `[${address}]` : address}:${port}`
}

/** Reads flags and environment. Throws `usage`. */
export const parseOptions = (
  { values, has }: Given,
  env: Readonly<Record<string, string | undefined>>,
): Options => {
  const text = (flag: keyof typeof SERVER_FLAGS, variable: string, otherwise: string): string =>
    values.get(flag) ?? (env[variable] || otherwise)
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
    throw usage(`--${flag} "${given}" is not a number above 0`, `like: --${flag} ${otherwise}`)
  }
  const leaseMs = positive('lease', 'CLAWLINK_LEASE', LEASE_MS / 1000) * 1000
  const archiveAfterMs =
    positive('archive-after', 'CLAWLINK_ARCHIVE_AFTER', ARCHIVE_AFTER_MS / DAY_MS) * DAY_MS
  const offerMs = Number(env.CLAWLINK_OFFER) * 1_000 || OFFER_MS
  const host = text('host', 'CLAWLINK_HOST', '127.0.0.1').replace(/^\[(.*)\]$/, '$1')
  const data = dataFolder(values.get('data'), env)
  const cert = text('tls-cert', 'CLAWLINK_TLS_CERT', '')
  const key = text('tls-key', 'CLAWLINK_TLS_KEY', '')
  if ((cert === '') !== (key === '')) {
    throw usage('--tls-cert and --tls-key belong together', 'give both, or neither')
  }
  const publicUrl = text('public-url', 'CLAWLINK_PUBLIC_URL', '')
  const heartbeatMs = Number(heartbeat) * 1000
  const sweepMs = Number(env.CLAWLINK_SWEEP) * 1_000 || SWEEP_MS
  return {
    ...{ host, port: Number(port), data, logLevel, heartbeatMs, sweepMs },
    ...{ leaseMs, offerMs, archiveAfterMs },
    tls: cert === '' ? null : { cert, key },
    publicUrl: publicUrl === '' ? null : urlIn('public-url', publicUrl),
    isProxy: parseProxies(text('trust-proxy', 'CLAWLINK_TRUST_PROXY', '')),
    hasMdns: !isLoopback(host) && !has.has('no-mdns') && env.CLAWLINK_MDNS !== 'off',
    limits: parseLimits(text('limit', 'CLAWLINK_LIMIT', '')),
    tlsLookMs: Number(env.CLAWLINK_TLS_LOOK) * 1_000 || TLS_LOOK_MS,
  }
}

/** The address at which others reach a server, without a slash at its end. Throws `usage`. */
export const urlIn = (flag: string, text: string): string => {
  if (/^https?:\/\/[^/?#@\s]+(?:\/[^?#\s]*)?$/.test(text)) return text.replace(/\/+$/, '')
  throw usage(`--${flag} "${text}" is not an address`, 'like https://team.example.org/clawlink')
}

const usage = (message: string, hint = ''): ClawError =>
  new ClawError('usage', message, hint || 'run clawlink-sync --help')
