import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import {
  decodeDeletes,
  decodeInserts,
  decodeTexts,
  encodeRuns,
  encodeTexts,
} from '../../lib/attribution/chunks.ts'
import { NameTable, readNames, writeNames } from '../../lib/attribution/names.ts'
import {
  addRuns,
  type DeletedText,
  type DeleteRun,
  type InsertRun,
  runsOf,
  sortRuns,
} from '../../lib/attribution/runs.ts'
import { unsealed } from './integrity/checksummed.ts'
import type { Db, Snapshot } from './integrity/db.ts'
import { type Op, type Put, seqKey, seqOf } from './integrity/level-keys.ts'
import { checkpointsOf } from './level-record-log.ts'
import { decodeRecord, type LogRecord } from './log-record.ts'
import type { AttributionKind, AttributionMap } from './update-log.ts'

/** Runs in one value (count): a fold rewrites at most one value per Yjs client id. */
const CHUNK_RUNS = 1_000
/** Deleted text in one value (UTF-16 units), and values per root (count): 16 Mi units, as for versions. */
const CHUNK_UNITS = 64 * 1024
const MAX_TEXT_CHUNKS = 256

type Piece = Omit<DeletedText, 'root'>
type Kind = 'i' | 'd' | 'a'

const DECODE = { i: decodeInserts, d: decodeDeletes, a: decodeDeletes } as const
const KINDS = { inserts: 'i', deletes: 'd', again: 'a' } as const
const ALL = Object.keys(KINDS) as (keyof typeof KINDS)[]
/** Yjs client ids whose runs are read at the same time (count). */
const READ_AT_ONCE = 32

/** The authorship in some records. */
interface Told {
  inserts: Map<number, InsertRun[]>
  deletes: Map<number, DeleteRun[]>
  again: Map<number, DeleteRun[]>
  /** By root. */
  texts: Map<string, Piece[]>
}

const nothing = (): Told => ({
  ...{ inserts: new Map(), deletes: new Map(), again: new Map() },
  texts: new Map(),
})

/**
 * The attribution of the operations that a workspace's checkpoint covers; later records hold their own. Keys:
 *   `m:<workspace>:s`                    seq of the newest record that is folded in here, and the next number of a name
 *   `m:<workspace>:n:<number>`           names (agents, tasks, roots), from this number on
 *   `m:<workspace>:i:<client>:<chunk>`   runs of insertions, in the order of their commits
 *   `m:<workspace>:d:<client>:<chunk>`   runs of deletions
 *   `m:<workspace>:a:<client>:<chunk>`   runs of deletions of what another agent had just deleted
 *   `m:<workspace>:t:<root>:<chunk>`     deleted texts; the root is URI-encoded
 * An unreadable value costs only its own runs, names or texts.
 */
export class LevelAttribution {
  readonly #db: Db

  constructor(db: Db) {
    this.#db = db
  }

  /** The names of the folded records. */
  async names(workspace: string, snapshot?: Snapshot): Promise<NameTable> {
    const names = new NameTable()
    for await (const [, value] of this.#values(`m:${workspace}:n`, snapshot)) {
      attempt(() => readNames(decoding.createDecoder(value), names))
    }
    const { names: size } = await this.#folded(workspace, snapshot)
    attempt(() => names.reserve(size))
    return names
  }

  /** The state of the last fold. If it cannot be read, the checkpoint tells its position. */
  async #folded(workspace: string, snapshot?: Snapshot): Promise<{ seq: number; names: number }> {
    const at = { ...(snapshot !== undefined && { snapshot }) }
    const key = `m:${workspace}:s`
    const sealed = await this.#db.get(key, { ...at, valueEncoding: 'view' })
    if (sealed === undefined) return { seq: 0, names: 0 }
    const value = unsealed(sealed)
    const found = value && attempt(() => readFold(value))
    if (found !== null) return found
    const newest = (await checkpointsOf(this.#db, workspace, at)).at(-1)
    return { seq: newest?.seq ?? 0, names: 0 }
  }

  /** The keys of values that cannot be read, each with the reason. */
  async *damaged(workspace: string): AsyncGenerator<{ key: string; reason: string }> {
    const range = { gt: `m:${workspace}:`, lt: `m:${workspace};`, valueEncoding: 'view' } as const
    const names = new NameTable()
    for await (const [key, sealed] of this.#db.iterator(range)) {
      const value = unsealed(sealed)
      if (value === null) continue // told of every key already
      try {
        checkValue(key, value, names)
      } catch (error) {
        yield { key, reason: (error as Error).message }
      }
    }
  }

  /** The writes that fold the records up to `seq`. Store them together with the checkpoint. */
  async fold(workspace: string, seq: number): Promise<Op[]> {
    const names = await this.names(workspace)
    const first = names.size
    const told = nothing()
    for await (const record of this.#records(workspace, seq, names)) tell(record, told, null)
    const ops: Op[] = []
    const { inserts, deletes, again } = told
    for (const [kind, all] of [
      ['i', inserts] as const,
      ['d', deletes] as const,
      ['a', again] as const,
    ]) {
      for (const [client, runs] of all) {
        ops.push(...(await this.#addRuns(workspace, kind, client, runs, names)))
      }
    }
    for (const [root, texts] of told.texts) {
      ops.push(...(await this.#addTexts(workspace, root, texts)))
    }
    if (names.size > first) {
      const value = encoding.encode((to) => writeNames(to, first, names.from(first)))
      ops.push({ type: 'put', key: seqKey(`m:${workspace}:n`, first), value })
    }
    ops.push({ type: 'put', key: `m:${workspace}:s`, value: encodeFold(seq, names.size) })
    return ops
  }

  async read(
    workspace: string,
    clients: ReadonlySet<number> | null,
    of: readonly AttributionKind[] = ALL,
  ): Promise<AttributionMap> {
    const snapshot = this.#db.snapshot()
    try {
      const names = await this.names(workspace, snapshot)
      const told = nothing()
      for (const kind of of) {
        await this.#readRuns(workspace, kind, clients, names, told[kind], snapshot)
      }
      for await (const record of this.#records(workspace, null, names, snapshot)) {
        tell(record, told, clients, of)
      }
      for (const kind of of) sortRuns<InsertRun | DeleteRun>(told[kind])
      return told
    } finally {
      await snapshot.close()
    }
  }

  async texts(workspace: string, root: string): Promise<Piece[]> {
    const snapshot = this.#db.snapshot()
    try {
      const found: Piece[] = []
      for await (const [, value] of this.#values(textsPrefix(workspace, root), snapshot)) {
        attempt(() => {
          for (const piece of decodeTexts(value)) found.push(piece)
        })
      }
      const names = await this.names(workspace, snapshot)
      for await (const { deleted } of this.#records(workspace, null, names, snapshot)) {
        for (const { root: of, ...piece } of deleted) if (of === root) found.push(piece)
      }
      return found
    } finally {
      await snapshot.close()
    }
  }

  async #readRuns(
    workspace: string,
    of: AttributionKind,
    clients: ReadonlySet<number> | null,
    names: NameTable,
    into: Map<number, (InsertRun | DeleteRun)[]>,
    snapshot: Snapshot,
  ): Promise<void> {
    const kind = KINDS[of]
    const prefixes =
      clients === null
        ? [`m:${workspace}:${kind}`]
        : Array.from(clients, (client) => runsPrefix(workspace, kind, client))
    const read = async (prefix: string): Promise<void> => {
      for await (const [key, value] of this.#values(prefix, snapshot)) {
        const client = Number(key.split(':')[3])
        attempt(() => addRuns(into, DECODE[kind](value, client, names)))
      }
    }
    for (let at = 0; at < prefixes.length; at += READ_AT_ONCE) {
      await Promise.all(prefixes.slice(at, at + READ_AT_ONCE).map(read))
    }
  }

  /** The records that are not folded yet, up to `seq`; null: all. Adds their names to `names`. */
  async *#records(
    workspace: string,
    seq: number | null,
    names: NameTable,
    snapshot?: Snapshot,
  ): AsyncGenerator<LogRecord> {
    const at = { ...(snapshot !== undefined && { snapshot }) }
    const { seq: after } = await this.#folded(workspace, snapshot)
    const key = (seq: number) => seqKey(`u:${workspace}`, seq)
    const end = seq === null ? { lt: `u:${workspace};` } : { lte: key(seq) }
    for await (const [, value] of this.#db.iterator({ gt: key(after), ...end, ...at })) {
      const record = attempt(() => decodeRecord(value, names))
      if (record !== null) yield record
    }
  }

  /** The readable values under a prefix, in key order. */
  async *#values(prefix: string, snapshot?: Snapshot): AsyncGenerator<[string, Uint8Array]> {
    const range = { gt: `${prefix}:`, lt: `${prefix};`, valueEncoding: 'view' } as const
    const at = { ...(snapshot !== undefined && { snapshot }) }
    for await (const [key, sealed] of this.#db.iterator({ ...range, ...at })) {
      const value = unsealed(sealed)
      if (value !== null) yield [key, value]
    }
  }

  /** The newest chunk under a prefix; a damaged one has no value. */
  async #newest(prefix: string): Promise<{ chunk: number; value: Uint8Array | null }> {
    const range = { gt: `${prefix}:`, lt: `${prefix};`, reverse: true, limit: 1 }
    const raw = { ...range, valueEncoding: 'view' } as const
    const [found] = await this.#db.iterator(raw).all()
    if (found === undefined) return { chunk: 0, value: null }
    return { chunk: seqOf(found[0]), value: unsealed(found[1]) }
  }

  async #addRuns(
    workspace: string,
    kind: Kind,
    client: number,
    runs: readonly (InsertRun | DeleteRun)[],
    names: NameTable,
  ): Promise<Put[]> {
    const prefix = runsPrefix(workspace, kind, client)
    const { chunk, value } = await this.#newest(prefix)
    const last = value && attempt(() => DECODE[kind](value, client, names))
    const isOpen = last !== null && last.length < CHUNK_RUNS
    const all = new Map<number, (InsertRun | DeleteRun)[]>()
    if (isOpen) addRuns(all, last)
    addRuns(all, runs)
    const list = all.get(client) ?? []
    const puts: Put[] = []
    let next = isOpen ? chunk : chunk + 1
    for (let at = 0; at < list.length; at += CHUNK_RUNS) {
      const bytes = encodeRuns(list.slice(at, at + CHUNK_RUNS), names)
      puts.push({ type: 'put', key: seqKey(prefix, next++), value: bytes })
    }
    return puts
  }

  async #addTexts(workspace: string, root: string, texts: readonly Piece[]): Promise<Op[]> {
    const prefix = textsPrefix(workspace, root)
    const { chunk, value } = await this.#newest(prefix)
    const last = value && attempt(() => decodeTexts(value))
    const isOpen = last !== null && unitsIn(last) < CHUNK_UNITS
    const ops: Op[] = []
    let next = isOpen ? chunk : chunk + 1
    for (const pieces of grouped([...(isOpen ? last : []), ...texts])) {
      ops.push({ type: 'put', key: seqKey(prefix, next), value: encodeTexts(pieces) })
      if (next > MAX_TEXT_CHUNKS) {
        ops.push({ type: 'del', key: seqKey(prefix, next - MAX_TEXT_CHUNKS) })
      }
      next++
    }
    return ops
  }
}

/** Adds a record's authorship, of these Yjs client ids alone (null: of all). */
const tell = (
  { at, updates, credits, deleted }: LogRecord,
  told: Told,
  clients: ReadonlySet<number> | null,
  of: readonly AttributionKind[] = ALL,
): void => {
  const runs = runsOf(at, updates, credits)
  const isWanted = ({ client }: { client: number }) => clients === null || clients.has(client)
  for (const kind of of) {
    addRuns<InsertRun | DeleteRun>(told[kind], runs[kind].filter(isWanted))
  }
  for (const { root, ...piece } of deleted) {
    const texts = told.texts.get(root)
    if (texts === undefined) told.texts.set(root, [piece])
    else texts.push(piece)
  }
}

/** Pieces in groups of about CHUNK_UNITS; a longer piece is cut. */
const grouped = (texts: readonly Piece[]): Piece[][] => {
  const groups: Piece[][] = [[]]
  let units = 0
  for (const { client, clock, text } of texts) {
    for (let at = 0, end = 0; at < text.length; at = end) {
      end = at + CHUNK_UNITS
      if (isHighSurrogate(text.charCodeAt(end - 1))) end--
      const part = text.slice(at, end)
      if (units >= CHUNK_UNITS) {
        groups.push([])
        units = 0
      }
      groups.at(-1)!.push({ client, clock: clock + at, text: part })
      units += part.length
    }
  }
  return groups
}

const isHighSurrogate = (unit: number): boolean => unit >= 0xd800 && unit < 0xdc00

const unitsIn = (texts: readonly Piece[]): number =>
  texts.reduce((sum, { text }) => sum + text.length, 0)

const runsPrefix = (workspace: string, kind: Kind, client: number): string =>
  `m:${workspace}:${kind}:${client}`

const textsPrefix = (workspace: string, root: string): string =>
  `m:${workspace}:t:${encodeURIComponent(root)}`

const encodeFold = (seq: number, names: number): Uint8Array =>
  encoding.encode((to) => {
    encoding.writeVarUint(to, seq)
    encoding.writeVarUint(to, names)
  })

const readFold = (value: Uint8Array): { seq: number; names: number } => {
  const from = decoding.createDecoder(value)
  return { seq: decoding.readVarUint(from), names: decoding.readVarUint(from) }
}

/** Throws where a value is not what its key says. */
const checkValue = (key: string, value: Uint8Array, names: NameTable): void => {
  const [, , kind, client] = key.split(':')
  if (kind === 's') readFold(value)
  else if (kind === 'n') readNames(decoding.createDecoder(value), names)
  else if (kind === 't') decodeTexts(value)
  else if (kind === 'i' || kind === 'd' || kind === 'a') DECODE[kind](value, Number(client), names)
  else throw new Error('it is of no known kind')
}

/** The result of `read`; null where it throws, as it does for malformed bytes. */
const attempt = <T>(read: () => T): T | null => {
  try {
    return read()
  } catch {
    return null
  }
}
