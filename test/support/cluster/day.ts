import { once } from 'node:events'
import * as Y from 'yjs'
import type { AgentId } from '../../../protocol/ids.ts'
import { textOf } from '../../../workspace/document/schema.ts'
import { putFile } from '../../../workspace/files/put-file.ts'
import { findLeaf } from '../../../workspace/files/tree.ts'
import { frame, RawClient } from '../client.ts'
import { memoryOf } from '../memory.ts'
import { runSql } from '../sql.ts'
import type { Cluster } from './processes.ts'

/** The file that each workspace has. */
const KEY = 'notes.md'
/** Its length, about (UTF-16 units), and that of an edit. */
const LENGTH = 2_000
const EDIT = 10

/** A workspace, and all that was acknowledged of it. */
export interface Place {
  name: string
  doc: Y.Doc
  /** Updates that the server confirmed (count). */
  acknowledged: number
}

/**
 * An agent comes to a workspace by that server, writes `edits` updates, each once the one before is stored, and leaves. Throws if the
 * connection ends before.
 */
export const visit = async (
  sync: string,
  place: Place,
  edits: number,
  random: () => number,
): Promise<void> => {
  const { doc } = place
  const client = new RawClient(`${sync}/${place.name}`)
  const ended = client.closed.then((code) => {
    throw new Error(`${place.name}: the connection ended with ${code}`)
  })
  ended.catch(() => {})
  const stored = () => Promise.race([client.barrier(), ended])
  const send = (update: Uint8Array, origin: unknown): void => {
    if (origin !== client) client.update(update)
  }
  try {
    await Promise.race([once(client.ws, 'open'), ended])
    client.onUpdate = (update) => Y.applyUpdate(doc, update, client)
    client.send(frame(0, 0, Y.encodeStateVector(doc)))
    client.send(frame(0, 1, Y.encodeStateAsUpdate(doc)))
    await stored()
    doc.on('update', send)
    for (let n = 0; n < edits; n++) {
      edit(doc, random)
      await stored()
      place.acknowledged++
      // As a program that lives does: what came is not kept.
      client.messages.length = 0
    }
  } finally {
    doc.off('update', send)
    await client.close()
  }
}

/** Writes a word somewhere; a text that is long enough loses as much elsewhere. */
const edit = (doc: Y.Doc, random: () => number): void => {
  const leaf = findLeaf(doc, KEY)
  if (leaf === null) {
    const by = 'a-day000000001' as AgentId
    putFile(doc, { key: KEY, content: 'x'.repeat(EDIT), base: null, by, now: Date.now() })
    return
  }
  const text = textOf(doc, leaf.entry.fileId)
  const anywhere = (): number => Math.floor(random() * Math.max(1, text.length - EDIT))
  doc.transact(() => {
    text.insert(anywhere(), random().toString(36).slice(2, 11).padEnd(EDIT))
    if (text.length > LENGTH) text.delete(anywhere(), EDIT)
  })
}

export const textIn = (doc: Y.Doc): string => {
  const leaf = findLeaf(doc, KEY)
  return leaf === null ? '' : textOf(doc, leaf.entry.fileId).toJSON()
}

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
