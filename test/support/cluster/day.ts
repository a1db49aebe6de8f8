import * as decoding from 'lib0/decoding'
import * as Y from 'yjs'
import { connectRaw, type RawClient } from '../../../bench/raw-client.ts'
import { clientFrame, readServerFrames, WIRES, type Wire } from '../../../bench/wire.ts'
import { BARRIER, SYNC, SYNC_STEP_1, SYNC_STEP_2 } from '../../../protocol/frames.ts'
import type { AgentId } from '../../../protocol/ids.ts'
import { textOf } from '../../../workspace/document/schema.ts'
import { putFile } from '../../../workspace/files/put-file.ts'
import { findLeaf } from '../../../workspace/files/tree.ts'
import { frame } from '../client.ts'
import { memoryOf } from '../memory.ts'
import { runSql } from '../sql.ts'
import type { Cluster } from './processes.ts'

/** The file that each workspace has. */
const KEY = 'notes.md'
/** Its length, about, that of a word, and that of its first content (UTF-16 units). */
const LENGTH = 2_000
const WORD = 10
/** A root of another program: keys that are set again and again. */
const ROOT = 'day'
const KEYS = 8
/** Of all updates. The rest types; a text that is long enough loses as much as it gets. */
const SETS = 0.1
/** A writer goes elsewhere in the text before a word with this probability. */
const MOVES = 0.1
/** An agent sends this many updates and a barrier at once, and this many of these are under way (counts). */
const AT_ONCE = 32
const UNDER_WAY = 2

/** A workspace, and an agent's replica of it. */
export interface Place {
  name: string
  doc: Y.Doc
  /** Where the agent types (UTF-16 units). */
  caret: number
  /** Updates that the agent made, and those that the server confirmed (counts). */
  written: number
  acknowledged: number
}

export interface Door {
  port: number
  /** What the agent shows. */
  token: string
}

/**
 * An agent comes to a workspace by that server, writes `edits` updates and leaves. Some are under way at any time, as those of
 * an agent that works offline for a moment. What a visit before could not store is sent first. Throws if the connection
 * ends before all are stored.
 */
export const visit = async (
  { port, token }: Door,
  place: Place,
  edits: number,
  random: () => number,
): Promise<void> => {
  const { doc, name } = place
  let inServer = Y.encodeStateVector(doc)
  const wire: Wire = {
    ...WIRES.stock,
    hello: () => [
      frame(SYNC, SYNC_STEP_1, Y.encodeStateVector(doc)),
      frame(SYNC, SYNC_STEP_2, new Uint8Array([0, 0])),
    ],
  }
  const client = await connectRaw(
    wire,
    port,
    name,
    (message) => {
      if (message[0] === SYNC && message[1] === SYNC_STEP_1) inServer = stateVectorIn(message)
    },
    token,
  )
  try {
    await write(client, place, edits, random, inServer)
  } finally {
    client.close()
  }
}

const stateVectorIn = (message: Uint8Array): Uint8Array => {
  const decoder = decoding.createDecoder(message)
  for (let n = 0; n < 2; n++) decoding.readVarUint(decoder)
  return decoding.readVarUint8Array(decoder)
}

const write = (
  client: RawClient,
  place: Place,
  edits: number,
  random: () => number,
  inServer: Uint8Array,
): Promise<void> =>
  new Promise((resolve, reject) => {
    const { doc, name } = place
    let frames: Buffer[] = []
    const add = (update: Uint8Array): void => {
      frames.push(clientFrame(WIRES.stock.wrap(name, update)))
    }
    const last = place.written + edits
    /** What the barriers under way cover (counts of updates). */
    const covered: number[] = []
    let nonce = 0
    const send = (): void => {
      covered.push(place.written)
      frames.push(clientFrame(frame(BARRIER, ++nonce)))
      client.send(Buffer.concat(frames))
      frames = []
    }
    const next = (): void => {
      doc.on('update', add)
      for (let n = 0; n < AT_ONCE && place.written < last; n++) {
        edit(place, random)
        place.written++
      }
      doc.off('update', add)
      send()
    }
    client.onEnd = () => reject(new Error(`${name}: the connection ended`))
    let rest = Buffer.alloc(0)
    client.onBytes = (chunk) => {
      const bytes = Buffer.concat([rest, chunk])
      const { messages, read } = readServerFrames(bytes)
      rest = bytes.subarray(read)
      for (const message of messages) {
        if (message[0] !== BARRIER) continue
        place.acknowledged = covered.shift()!
        if (place.written < last) next()
        else if (covered.length === 0) resolve()
      }
    }
    if (place.acknowledged < place.written) {
      add(Y.encodeStateAsUpdate(doc, inServer))
      send()
    }
    while (covered.length < UNDER_WAY) next()
  })

/** Makes one update: the file, a word of it more or less, or a key that gets another value. */
const edit = (place: Place, random: () => number): void => {
  const { doc } = place
  const leaf = findLeaf(doc, KEY)
  if (leaf === null) {
    const by = 'a-day000000001' as AgentId
    putFile(doc, { key: KEY, content: 'x'.repeat(WORD), base: null, by, now: Date.now() })
    return
  }
  if (random() < SETS) {
    doc.getMap(ROOT).set(`key${Math.floor(random() * KEYS)}`, random())
    return
  }
  const text = textOf(doc, leaf.entry.fileId)
  const anywhere = (): number => Math.floor(random() * Math.max(1, text.length - WORD))
  if (text.length > LENGTH && random() < 2 / 3) {
    const at = anywhere()
    text.delete(at, WORD)
    if (at < place.caret) place.caret = Math.max(at, place.caret - WORD)
    return
  }
  if (random() < MOVES) place.caret = anywhere()
  text.insert(place.caret, random().toString(36).slice(2, 11).padEnd(WORD))
  place.caret += WORD
}

export const textIn = (doc: Y.Doc): string => {
  const leaf = findLeaf(doc, KEY)
  return leaf === null ? '' : textOf(doc, leaf.entry.fileId).toJSON()
}
export const keysIn = (doc: Y.Doc): Record<string, unknown> => doc.getMap(ROOT).toJSON()

/** The sizes of a cluster at one moment. */
export interface Sizes {
  updates: number
  /** Seconds since the beginning. */
  seconds: number
  /** Table with its index and what is stored aside, and live and dead rows (MiB, counts). */
  table: number
  live: number
  dead: number
  vacuums: number
  /** Written so far, and kept on disk (MiB). */
  walWritten: number
  wal: number
  /** Resident memory per node (MiB). */
  memory: number[]
}

const TABLES = `select sum(pg_total_relation_size(relid))::float8 / 2^20 as table, sum(n_live_tup)::float8 as live,
    sum(n_dead_tup)::float8 as dead, sum(autovacuum_count)::float8 as vacuums,
    (pg_current_wal_lsn() - '0/0'::pg_lsn)::float8 / 2^20 as "walWritten",
    (select sum(size) from pg_ls_waldir())::float8 / 2^20 as wal
  from pg_stat_user_tables`

export const sizesOf = async (
  { postgres, nodes }: Cluster,
  updates: number,
  seconds: number,
): Promise<Sizes> => {
  const [tables] = await runSql<Omit<Sizes, 'updates' | 'seconds' | 'memory'>>(postgres.url, TABLES)
  const memory = nodes.map(({ server }) => memoryOf(server!.process.pid!))
  return { updates, seconds, ...tables!, memory }
}

/** Records by the first letter of their keys: count, and MiB of their values. */
export const kindsIn = ({
  postgres,
}: Cluster): Promise<{ kind: string; n: number; mib: number }[]> =>
  runSql(
    postgres.url,
    `select convert_from(substring(k from 1 for 1), 'UTF8') as kind, count(*)::float8 as n,
       sum(octet_length(v))::float8 / 2^20 as mib
     from clawlink.kv group by 1 order by 3 desc`,
  )
