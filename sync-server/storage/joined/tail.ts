import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import { digestOf } from '../../../lib/hash-chain.ts'
import { UpdateJoiner } from '../../../lib/yjs/join-updates.ts'
import { COMPACT_UPDATES, JOINED_BYTES, JOINED_UPDATES } from '../../config/limits.ts'
import type { Db, Reading } from '../integrity/db.ts'
import { type Op, seqKey, seqOf } from '../integrity/level-keys.ts'

/**
 * Joined records: consecutive ones of a log's tail as one, stored beside them, so that a newcomer after a crash need not
 * wait until they are read and joined. They are made from the records alone, are stored in one write with the record
 * after them, and go with the next checkpoint. Only the way to a reader uses them: the document and the chain are built
 * from the records. Without them, or with damaged ones, it takes longer.
 *
 * `z:<workspace>:<seq of the last one>`: 1 (format), seq of the first one, digest of the last one (hash-chain.ts),
 * the updates packed (join-updates.ts).
 */
export interface JoinedRecords {
  from: number
  to: number
  /** Of the last record as stored: they are those of this log. */
  digest: Uint8Array
  packed: Uint8Array
}

const FORMAT = 1

export const joinedKey = (workspace: string, to: number): string => seqKey(`z:${workspace}`, to)

const encodeJoined = ({ from, digest, packed }: JoinedRecords): Uint8Array =>
  encoding.encode((to) => {
    encoding.writeVarUint(to, FORMAT)
    encoding.writeVarUint(to, from)
    encoding.writeVarUint8Array(to, digest)
    encoding.writeUint8Array(to, packed)
  })

/** Throws if the bytes are none. */
const decodeJoined = (to: number, value: Uint8Array): JoinedRecords => {
  const reader = decoding.createDecoder(value)
  const format = decoding.readVarUint(reader)
  if (format !== FORMAT) throw new Error(`joined records have format ${format}`)
  const from = decoding.readVarUint(reader)
  const digest = decoding.readVarUint8Array(reader)
  return { from, to, digest, packed: decoding.readTailAsUint8Array(reader) }
}

/**
 * The joined records that begin after a position, in order; none if one is damaged, or if they are not of this log.
 * `recordKey` gives the key of a record.
 */
export const joinedAfter = async (
  db: Pick<Db, 'get' | 'iterator'>,
  workspace: string,
  after: number,
  recordKey: (workspace: string, seq: number) => string,
  options: Reading,
): Promise<JoinedRecords[]> => {
  const range = { gt: joinedKey(workspace, after), lt: `z:${workspace};`, ...options }
  try {
    const found = await db.iterator(range).all()
    const all = found.map(([key, value]) => decodeJoined(seqOf(key), value))
    let end = after
    const kept = all.filter(({ from, to }) => {
      const follows = from > end && to >= from
      if (follows) end = to
      return follows
    })
    const newest = kept.at(-1)
    if (newest === undefined) return []
    const record = await db.get(recordKey(workspace, newest.to), options)
    const isOwn = record !== undefined && Buffer.compare(digestOf(record), newest.digest) === 0
    return isOwn ? kept : []
  } catch {
    return [] // the records tell of a store that cannot be read
  }
}

/** The positions of the last records that are joined. */
export const joinedEnds = async (db: Pick<Db, 'keys'>, workspace: string): Promise<number[]> => {
  const keys = await db.keys({ gt: `z:${workspace}:`, lt: `z:${workspace};` }).all()
  return keys.map(seqOf)
}

/** A part of a log's tail: an update, or the packed ones of joined records. */
export interface Part {
  bytes: Uint8Array
  isPacked: boolean
}

/** A longer update is not made (bytes): a message has a most size. */
const MOST_JOINED_BYTES = 16 * 1024 * 1024

/** The parts as few updates of the same content; null: they do not follow each other, or are malformed. */
export const joinedParts = (parts: readonly Part[]): Uint8Array[] | null => {
  try {
    return join(parts)
  } catch {
    return null // building the document tells of it
  }
}

const join = (parts: readonly Part[]): Uint8Array[] | null => {
  const [only] = parts
  if (parts.length === 1 && !only!.isPacked) return [only!.bytes]
  const joined: Uint8Array[] = []
  let joiner = new UpdateJoiner()
  for (const { bytes, isPacked } of parts) {
    if (joiner.bytes > 0 && joiner.bytes + bytes.length > MOST_JOINED_BYTES) {
      joined.push(joiner.joined())
      joiner = new UpdateJoiner()
    }
    if (!(isPacked ? joiner.addPacked(bytes) : joiner.add(bytes))) return null
  }
  if (joiner.bytes > 0) joined.push(joiner.joined())
  return joined
}

/** Joins the records of a log while they are written, once its tail has COMPACT_UPDATES updates: a checkpoint rests. */
export class TailJoiner {
  /** Updates after the newest checkpoint, or since this process reads the log (count). */
  #updates = 0
  #joiner: UpdateJoiner | null = null
  /** Updates in it (count), and the records they are of. */
  #count = 0
  #from = 0
  #to = 0
  /** The same of those on disk. */
  #stored: number[]

  constructor(stored: number[]) {
    this.#stored = stored
  }

  /** Takes in a new record. Call it in their order, once each is on its way. */
  added(seq: number, updates: readonly Uint8Array[]): void {
    this.#updates += updates.length
    if (this.#updates < COMPACT_UPDATES) return
    if (this.#joiner === null) {
      this.#joiner = new UpdateJoiner()
      this.#from = seq
      this.#count = 0
    }
    const joiner = this.#joiner
    try {
      if (!updates.every((update) => joiner.add(update))) this.#joiner = null
    } catch {
      this.#joiner = null // building the document tells of it
    }
    this.#to = seq
    this.#count += updates.length
  }

  /** The operations that store joined records, if there are enough; store them with the next record. */
  take(workspace: string, digestAt: (seq: number) => Uint8Array): Op[] {
    const joiner = this.#joiner
    if (joiner === null) return []
    if (this.#count < JOINED_UPDATES && joiner.bytes < JOINED_BYTES) return []
    this.#joiner = null
    const [from, to] = [this.#from, this.#to]
    this.#stored.push(to)
    const value = encodeJoined({ from, to, digest: digestAt(to), packed: joiner.packed() })
    return [{ type: 'put', key: joinedKey(workspace, to), value }]
  }

  /** A checkpoint covers the records up to `seq`. Returns the operations that remove what is joined of them. */
  folded(workspace: string, seq: number): Op[] {
    this.#updates = 0
    this.#joiner = null
    const covered = this.#stored.filter((to) => to <= seq)
    this.#stored = this.#stored.filter((to) => to > seq)
    return covered.map((to) => ({ type: 'del', key: joinedKey(workspace, to) }))
  }
}
