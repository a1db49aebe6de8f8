import { didYouMean } from '../../lib/text/suggest.ts'
import { ClawError } from '../../protocol/errors.ts'

import { MAX_AWARENESS_BYTES, MAX_BODY_BYTES, MAX_FRAME_BYTES, SLOW_READER_MS } from './limits.ts'

const MEBIBYTE = 1024 * 1024

/** Limits on clients, by the names of `--limit NAME=N`: default and meaning. */
export const LIMITS = {
  connections: { is: 10_000, what: 'connections in all' },
  'address-connections': { is: 2_000, what: 'connections per address (IPv6: per /64)' },
  'agent-connections': { is: 64, what: 'connections per agent' },
  'workspace-connections': { is: 5_000, what: 'connections per workspace' },
  waiting: { is: 256, what: 'connections per address without a request for a second' },
  messages: { is: 2_000, what: 'messages per agent per second' },
  bytes: { is: 16 * MEBIBYTE, what: 'bytes per agent per second' },
  awareness: { is: 100, what: 'awareness messages per agent per second' },
  handshakes: { is: 20, what: 'new connections per agent per second' },
  requests: { is: 200, what: 'HTTP requests per agent or token per second' },
  work: { is: 250, what: 'milliseconds of work per agent per second' },
  held: {
    is: 256 * MEBIBYTE,
    what: 'bytes held for all peers: unread answers, unfinished messages',
  },
  'address-held': { is: 128 * MEBIBYTE, what: 'the same per address' },
  'agent-held': {
    is: 24 * MEBIBYTE,
    what: 'the same per agent, or per address without a credential',
  },
  offences: {
    is: 10,
    what: 'refused frames or MiB, and oversized bodies, per agent before it must wait',
  },
  frame: { is: MAX_FRAME_BYTES, what: 'bytes per message' },
  body: { is: MAX_BODY_BYTES, what: 'bytes per HTTP body; files have their own limits' },
  'awareness-bytes': { is: MAX_AWARENESS_BYTES, what: 'bytes per awareness state' },
  'client-ids': { is: 2_000, what: 'Yjs client ids per agent and workspace, over all time' },
  document: { is: 256 * MEBIBYTE, what: 'bytes per document, as stored' },
  workspaces: { is: 1_000, what: 'workspaces' },
  rooms: { is: 1_000, what: 'workspaces in memory at once' },
  invites: { is: 1_000, what: 'open invites' },
  'handshake-seconds': { is: 10, what: 'for the headers of a request to arrive' },
  'request-seconds': { is: 30, what: 'for a whole request to arrive' },
  'slow-reader-seconds': {
    is: SLOW_READER_MS / 1_000,
    what: 'for which a reader may read nothing',
  },
  refusals: { is: 20, what: 'refused requests per address before it queues' },
  failures: { is: 10, what: 'wrong credentials per address before it must wait' },
} as const satisfies Record<string, { is: number; what: string }>

export type LimitName = keyof typeof LIMITS
export type Limits = Readonly<Record<LimitName, number>>

/** Longest back-off after wrong credentials, and after offences (milliseconds). */
export const LAST_FAILURE_WAIT_MS = 15 * 60_000
export const LAST_OFFENCE_WAIT_MS = 60_000
/** A rejected frame counts as one offence more per this many bytes: the server has read them all. */
export const OFFENCE_BYTES = MEBIBYTE
/** Least cost of a request (milliseconds of work). */
export const LEAST_WORK_MS = 0.2
/** Memory charged per request in flight besides body and answer (bytes): headers and Node's objects. */
export const REQUEST_BYTES = 16 * 1024
/** Memory charged per stream of a blob (bytes). */
export const STREAM_BYTES = 256 * 1024
/** A partial message of this size (bytes) that grows by less per heartbeat is dropped: it holds memory. */
export const LEAST_WAITED_FOR_BYTES = 64 * 1024
export const LEAST_PROGRESS_BYTES = 4 * 1024
/** Burst size of rate limits, in seconds' worth: edits made offline arrive at once. */
export const BURST_SECONDS = 10
/** … and of bytes and work, which delay other clients. */
export const HEAVY_BURST_SECONDS = 2
/** Factor on the cost of a large update while other clients are active: every reader must apply it, too. */
export const LARGE_COUNTS = 8
/** Longest pause in reading from a throttled client (milliseconds): below the heartbeat, so that its pongs are seen. */
export const LONGEST_PAUSE_MS = 5_000
/** … and the shortest worth a timer (milliseconds). */
export const SHORTEST_PAUSE_MS = 10
/** … and within a large update (milliseconds), whose cost is spread evenly. */
export const SHORTEST_REST_MS = 1

/** Reads `NAME=N,NAME=N`. Throws `usage`. */
export const parseLimits = (text: string): Limits => {
  const limits = Object.fromEntries(
    Object.entries(LIMITS).map(([name, { is }]) => [name, is]),
  ) as Record<LimitName, number>
  for (const part of text.split(',').map((one) => one.trim())) {
    if (part === '') continue
    const [name = '', value = '', more] = part.split('=')
    if (!Object.hasOwn(LIMITS, name)) {
      const names = Object.keys(LIMITS)
      throw new ClawError(
        'usage',
        `unknown limit "${name}"`,
        didYouMean(name, names) || 'clawlink-sync --help lists them',
      )
    }
    if (!/^[1-9]\d{0,11}$/.test(value) || more !== undefined) {
      throw new ClawError(
        'usage',
        `"${part}" is not NAME=N`,
        `like ${name}=${LIMITS[name as LimitName].is}`,
      )
    }
    limits[name as LimitName] = Number(value)
  }
  return limits
}
