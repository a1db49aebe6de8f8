import { randomHex } from '../lib/random.ts'
import { bundle, program, type ServerProcess, startServer } from './programs.ts'
import type { WireName } from './wire.ts'

export interface Contender {
  /** As the tables name it. */
  name: string
  wire: WireName
  /** Starts the server in a process of its own, with its data in `data`. */
  start: (data: string, nodeArgs?: readonly string[]) => Promise<ServerProcess>
}

/** A peer's program gets the folder for its data. */
const peer = (name: string, wire: WireName, file: string): Contender => ({
  name,
  wire,
  start: async (data, nodeArgs = []) => startServer([...nodeArgs, await bundle(file), data]),
})

/** All clients of a benchmark are one agent, which may take what a hundred may. */
export const UNLIMITED: readonly string[] = [
  ...['connections', 'address-connections', 'agent-connections', 'workspace-connections'],
  ...[
    'messages',
    'bytes',
    'awareness',
    'handshakes',
    'work',
    'workspaces',
    'rooms',
    'requests',
    'waiting',
  ],
].map((name) => `${name}=999999999999`)

/** `script` gives the program to run. */
const clawlinkBy = (
  name: string,
  script: () => string,
  store: () => readonly string[] = () => [],
): Contender => ({
  name,
  wire: 'stock',
  start: (data, nodeArgs = []) =>
    startServer([
      ...nodeArgs,
      script(),
      ...['--port', '0', '--data', data, ...store()],
      '--limit',
      UNLIMITED.join(),
    ]),
})

export const clawlink = clawlinkBy('clawlink-sync', () => program('clawlink-sync'))

/** The same on PostgreSQL, each start in a schema of its own. */
export const clawlinkOn = (url: string): Contender =>
  clawlinkBy(
    'clawlink-sync on PostgreSQL',
    () => program('clawlink-sync'),
    () => ['--store', `${url}?schema=b_${randomHex(8)}`],
  )

/** The same, all starts in one schema. */
export const clawlinkOnSame = (url: string): Contender => {
  const store = `${url}?schema=b_${randomHex(8)}`
  return clawlinkBy(
    'clawlink-sync on PostgreSQL',
    () => program('clawlink-sync'),
    () => ['--store', store],
  )
}

/** The same of an earlier build, in another folder. */
export const clawlinkIn = (dist: string): Contender =>
  clawlinkBy('clawlink-sync, before', () => `${dist}/clawlink-sync.cjs`)

/** Hocuspocus 4 with its Database extension on LevelDB, all settings at their defaults. */
export const hocuspocus = peer('Hocuspocus 4', 'hocuspocus', 'peers/hocuspocus.ts')

/** The design of y-websocket's own server with y-leveldb. */
export const reference = peer('y-websocket reference', 'stock', 'peers/reference.ts')

/** Relays bytes and knows nothing of documents or disks: one `ws.send` a message and client. */
export const sendEach = peer('bare ws, a send each', 'bare', 'peers/send-each.ts')

/** The same with each message framed once and one write a client and tick: the most a server could do. */
export const coalesced = peer('bare ws, coalesced', 'bare', 'peers/coalesced.ts')

/** Relays messages, each after an fsync, many per batch: the least that a server costs that keeps its word. */
export const durable = peer('bare ws, durable', 'durable', 'peers/durable.ts')

/** Has the whole document in memory as one message: the least that a newcomer can cost. */
export const staticDocument = peer(
  'floor: one message, from memory',
  'stock',
  'peers/static-document.ts',
)
