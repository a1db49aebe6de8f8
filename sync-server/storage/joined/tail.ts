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

/** A record of the log, for those who join it. */
interface Single {
  seq: number
  updates: readonly Uint8Array[]
}

/** Consecutive records that are being joined. */
class Group {
  readonly from: number
  to: number
  readonly #joiner = new UpdateJoiner()
  #updates = 0

  constructor(from: number) {
    this.from = from
    this.to = from
  }

  get isFull(): boolean {
    return this.#updates >= JOINED_UPDATES || this.#joiner.bytes >= JOINED_BYTES
  }

  /** False: the record cannot be joined with those before, and the group is of no use. */
  add({ seq, updates }: Single): boolean {
    this.to = seq
    this.#updates += updates.length
    try {
      return updates.every((update) => this.#joiner.add(update))
    } catch {
      return false // building the document tells of it
    }
  }

  packed(): Uint8Array {
    return this.#joiner.packed()
  }
}

/** Puts consecutive records into groups. */
class Grouping {
  readonly full: Group[] = []
  #group: Group | null = null

  add(record: Single): void {
    this.#group ??= new Group(record.seq)
    if (!this.#group.add(record)) this.#group = null
    else if (this.#group.isFull) this.end()
  }

  /** The group ends with the newest record. */
  end(): void {
    if (this.#group !== null) this.full.push(this.#group)
    this.#group = null
  }
}

/**
 * Joins the records of a log while they are written, once its tail has COMPACT_UPDATES updates: its checkpoint rests then.
 * Those before are read and joined, too, once it has twice as many: to read them costs more, and the rest is a long one.
 */
export class TailJoiner {
  /** Updates after the newest checkpoint, or since this process reads the log (count). */
  #updates = 0
  /** null: the tail is short. */
  #grouping: Grouping | null = null
  /** Position of the newest record before those in the grouping; null: these are joined, or the tail is short. */
  #earlier: number | null = null
  /** Positions of the last records that are joined on disk. */
  #stored: number[]
  readonly #recordsAfter: (after: number, upTo: number) => AsyncIterable<Single>

  /** `recordsAfter` reads the records after a position, and after the checkpoint, up to another. */
  constructor(
    stored: number[],
    recordsAfter: (after: number, upTo: number) => AsyncIterable<Single>,
  ) {
    this.#stored = stored
    this.#recordsAfter = recordsAfter
  }

  /** Takes in a new record. Call it in their order, once each is on its way. */
  added(seq: number, updates: readonly Uint8Array[]): void {
    this.#updates += updates.length
    if (this.#updates < COMPACT_UPDATES) return
    if (this.#grouping === null) {
      this.#grouping = new Grouping()
      this.#earlier = seq - 1
    }
    this.#grouping.add({ seq, updates })
    if (this.#earlier === null || this.#updates < 2 * COMPACT_UPDATES) return
    void this.#joinEarlier(this.#grouping, this.#earlier)
    this.#earlier = null
  }

  /** Joins the records up to a position that are not joined yet, for the grouping that goes on after them. */
  async #joinEarlier(later: Grouping, upTo: number): Promise<void> {
    const earlier = new Grouping()
    try {
      const joined = this.#stored.filter((to) => to <= upTo)
      for await (const record of this.#recordsAfter(Math.max(0, ...joined), upTo)) {
        if (this.#grouping !== later) return
        earlier.add(record)
      }
    } catch {
      return // readers read these records themselves, or tell what is wrong with them
    }
    earlier.end()
    later.full.unshift(...earlier.full)
  }

  /** The operations that store the groups that are full; store them with the next record. */
  take(workspace: string, digestAt: (seq: number) => Uint8Array): Op[] {
    const full = this.#grouping?.full.splice(0) ?? []
    return full.map((group) => {
      const { from, to } = group
      this.#stored.push(to)
      const value = encodeJoined({ from, to, digest: digestAt(to), packed: group.packed() })
      return { type: 'put', key: joinedKey(workspace, to), value }
    })
  }

  /** A checkpoint covers the records up to `seq`. Returns the operations that remove what is joined of them. */
  folded(workspace: string, seq: number): Op[] {
    this.#updates = 0
    this.#grouping = null
    this.#earlier = null
    const covered = this.#stored.filter((to) => to <= seq)
    this.#stored = this.#stored.filter((to) => to > seq)
    return covered.map((to) => ({ type: 'del', key: joinedKey(workspace, to) }))
  }
}
