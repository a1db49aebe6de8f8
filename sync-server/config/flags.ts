import type { Flags } from '../../lib/command-line/spec.ts'
import { types } from '../../lib/command-line/value-types.ts'
import { ARCHIVE_AFTER_MS, HEARTBEAT_MS, LEASE_MS } from './limits.ts'

/** ClawLink's own port. */
export const DEFAULT_PORT = 9077
const DAY_MS = 24 * 60 * 60_000

export const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

const DATA: Flags = {
  data: {
    type: types.folder,
    what: 'where everything is stored',
    otherwise: '~/.clawlink/sync',
    env: 'CLAWLINK_DATA',
  },
}
const STORE: Flags = {
  store: {
    value: 'URL',
    type: types.text,
    what: 'keep the records in PostgreSQL: postgres://USER@HOST/DATABASE',
    otherwise: 'in the data folder',
    env: 'CLAWLINK_STORE',
  },
}
export const LOG_FORMATS = ['auto', 'text', 'json'] as const
export type LogFormat = (typeof LOG_FORMATS)[number]

const CONFIG: Flags = {
  config: {
    type: types.file,
    what: 'read settings from this file, a line each: port = 9100',
    env: 'CLAWLINK_CONFIG',
  },
}
const HELP: Flags = { help: { short: 'h', what: 'explain it' } }

/** Flags of every command. */
export const COMMON: Flags = {
  ...DATA,
  ...STORE,
  ...CONFIG,
  json: { what: 'print one JSON document' },
  ...HELP,
}

/** Flags of the server. */
export const SERVER_FLAGS = {
  host: {
    value: 'HOST',
    type: types.name,
    what: 'the address to listen on; 0.0.0.0: all of this machine',
    otherwise: '127.0.0.1',
    env: 'CLAWLINK_HOST',
  },
  port: {
    value: 'PORT',
    type: types.number(0, 65_535),
    what: 'the port to listen on; 0: any free one',
    otherwise: String(DEFAULT_PORT),
    env: 'CLAWLINK_PORT',
  },
  ...DATA,
  ...STORE,
  'node-url': {
    value: 'URL',
    type: types.name,
    what: 'be a node of a cluster on --store; the other nodes reach it here',
    env: 'CLAWLINK_NODE_URL',
  },
  'direct-url': {
    value: 'URL',
    type: types.name,
    what: 'links reach this node here: they come directly to the owner of their workspace',
    env: 'CLAWLINK_DIRECT_URL',
  },
  'log-level': {
    value: 'LEVEL',
    type: types.oneOf(LOG_LEVELS),
    what: 'how much it logs, on stderr; log-level changes it while it runs',
    otherwise: 'info',
    env: 'CLAWLINK_LOG_LEVEL',
  },
  'log-format': {
    type: types.oneOf(LOG_FORMATS),
    what: 'text: a line for people; json: one object per line',
    otherwise: 'text on a terminal, else json',
    env: 'CLAWLINK_LOG_FORMAT',
  },
  heartbeat: {
    type: types.seconds(0.1, 99),
    what: 'time between two pings; a client silent for two is gone',
    otherwise: String(HEARTBEAT_MS / 1000),
    env: 'CLAWLINK_HEARTBEAT',
  },
  lease: {
    type: types.number(0.000_001, 9_999_999, { decimals: 6, unit: 'seconds' }),
    what: 'a task goes back after its owner was away this long',
    otherwise: String(LEASE_MS / 1000),
    env: 'CLAWLINK_LEASE',
  },
  'archive-after': {
    type: types.number(0.000_001, 9_999_999, { decimals: 6, unit: 'days' }),
    what: 'move ended tasks to the archive after this long',
    otherwise: String(ARCHIVE_AFTER_MS / DAY_MS),
    env: 'CLAWLINK_ARCHIVE_AFTER',
  },
  'tls-cert': {
    value: 'FILE',
    type: types.file,
    what: 'serve TLS with this certificate and its chain (PEM); a renewed one is loaded by itself',
    env: 'CLAWLINK_TLS_CERT',
  },
  'tls-key': {
    value: 'FILE',
    type: types.file,
    what: 'the key of that certificate',
    env: 'CLAWLINK_TLS_KEY',
  },
  'public-url': {
    value: 'URL',
    type: types.name,
    what: 'the address for join links; behind a proxy, with its path',
    env: 'CLAWLINK_PUBLIC_URL',
  },
  'trust-proxy': {
    value: 'LIST',
    type: types.list,
    what: 'proxies whose X-Forwarded-For is trusted: addresses, networks, loopback',
    env: 'CLAWLINK_TRUST_PROXY',
  },
  'backup-dir': {
    type: types.folder,
    what: 'make backups by itself, each in a folder of its own in this one',
    env: 'CLAWLINK_BACKUP_DIR',
  },
  'backup-every': {
    type: types.span(366),
    what: 'time between two of them',
    otherwise: '1d',
    env: 'CLAWLINK_BACKUP_EVERY',
  },
  'backup-keep': {
    type: types.number(1, 100_000),
    what: 'how many of them stay; older ones are removed',
    otherwise: '14',
    env: 'CLAWLINK_BACKUP_KEEP',
  },
  'no-mdns': { what: 'do not announce it on the network', env: 'CLAWLINK_MDNS=off' },
  limit: {
    value: 'NAME=N,…',
    type: types.list,
    what: 'per-client limits, listed below',
    env: 'CLAWLINK_LIMIT',
  },
  insecure: { what: 'ignored; from releases before access control', hidden: true },
  ...CONFIG,
  'print-config': { what: 'print the settings in force and where each comes from, and stop' },
  ...HELP,
  version: { short: 'V', what: 'print the version' },
} as const satisfies Flags
