import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import {
  DIGEST_BYTES,
  DigestList,
  digestOf,
  linked,
  linkedAll,
  startOf,
  unpackDigests,
} from '../../lib/hash-chain.ts'

/** A position of a workspace's log, and the head of its chain there. */
export interface Head {
  seq: number
  head: Uint8Array
}

/**
 * Why an entry was written. `folded`: records became a checkpoint. `base`: the log is older than its chain, which
 * begins at its checkpoint. `repaired`: `clawlink-sync repair` changed the document. `restored`: the log was brought
 * back from a backup; later records of the time before are gone.
 */
export const ENTRY_KINDS = ['folded', 'base', 'repaired', 'restored'] as const
export type EntryKind = (typeof ENTRY_KINDS)[number]

/** An entry of a chain: what stays of records that a checkpoint replaced, or a note on the log. */
export interface ChainEntry {
  kind: EntryKind
  /** Milliseconds since the epoch. */
  at: number
  /** The log's position that it speaks of. */
  seq: number
  /** Its digests are those of the records after this position. */
  from: number
  /** The place of the newest checkpoint: 0 or 1. */
  slot: number
  /** SHA-256 of the entry before it; of zeros for the first one. */
  before: Uint8Array
  /** SHA-256 of the checkpoint as stored; empty: it has none. */
  checkpoint: Uint8Array
  /** The head after its digests. */
  head: Uint8Array
  /** Digests of records, one after the other. */
  digests: Uint8Array
}

/** Position of the newest record whose digest is in this entry, or in one before it. */
export const endOf = ({ from, digests }: ChainEntry): number => from + digests.length / DIGEST_BYTES

const FORMAT = 1

export const encodeEntry = (entry: ChainEntry): Uint8Array =>
  encoding.encode((encoder) => {
    const { kind, at, seq, from, slot, before, checkpoint, head, digests } = entry
    for (const number of [FORMAT, ENTRY_KINDS.indexOf(kind), at, seq, from, slot]) {
      encoding.writeVarUint(encoder, number)
    }
    for (const bytes of [before, checkpoint, head, digests]) {
      encoding.writeVarUint8Array(encoder, bytes)
    }
  })

/** Throws if the bytes are not an entry. */
export const decodeEntry = (value: Uint8Array): ChainEntry => {
  const decoder = decoding.createDecoder(value)
  const number = (): number => decoding.readVarUint(decoder)
  const bytes = (): Uint8Array => decoding.readVarUint8Array(decoder)
  const format = number()
  if (format !== FORMAT) throw new Error(`an entry of the record has format ${format}`)
  const kind = ENTRY_KINDS[number()]
  if (kind === undefined) throw new Error('an entry of the record is of no known kind')
  const [at, seq, from, slot] = [number(), number(), number(), number()]
  const [before, checkpoint, head, digests] = [bytes(), bytes(), bytes(), bytes()]
  const isDigest = ({ length }: Uint8Array): boolean => length === DIGEST_BYTES
  const isWhole = isDigest(before) && isDigest(head) && digests.length % DIGEST_BYTES === 0
  if (!isWhole || !(isDigest(checkpoint) || checkpoint.length === 0) || slot > 1) {
    throw new Error('an entry of the record is not whole')
  }
  return { kind, at, seq, from, slot, before, checkpoint, head, digests }
}

/** The first byte of a record that binds an entry: this, the entry's SHA-256, then the record itself. */
const BINDING = 3

/** A record that binds the newest entry into the chain. */
export const bindingRecord = (entry: Uint8Array, record: Uint8Array): Uint8Array =>
  Buffer.concat([Uint8Array.of(BINDING), entry, record])

/** Splits a stored record: the digest of the entry that it binds, null for none; and the record itself. */
export const splitRecord = (
  value: Uint8Array,
): { binds: Uint8Array | null; record: Uint8Array } => {
  if (value[0] !== BINDING) return { binds: null, record: value }
  if (value.length <= 1 + DIGEST_BYTES) throw new Error('a log record is cut short')
  return { binds: value.subarray(1, 1 + DIGEST_BYTES), record: value.subarray(1 + DIGEST_BYTES) }
}

const NONE = new Uint8Array(0)
const FIRST = new Uint8Array(DIGEST_BYTES)

/** The head at the checkpoint of a log that is older than its chain. */
export const baseHead = (workspace: string, checkpoint: Uint8Array): Uint8Array =>
  linked(startOf(workspace), checkpoint)

/** The chain of one workspace's log in memory, from its newest checkpoint on; pending records included. */
export class Chain {
  #entries: number
  /** SHA-256 of the newest entry. */
  #newest: Uint8Array
  #slot: number
  /** Position of the newest checkpoint, and the head there. */
  #folded: number
  #foldedHead: Uint8Array
  /** Of the records after the newest checkpoint, without those in `#fresh`. */
  readonly #digests = new DigestList()
  /** Records whose digests are not computed yet. */
  #fresh: Uint8Array[] = []
  /** The newest head that was asked for. */
  #asked: Head
  /** Position of the record that binds the newest entry; null: none does. */
  #boundAt: number | null = null
  #durable = 0
  #unstored: { index: number; value: Uint8Array }[] = []
  /** True while the records before the newest checkpoint are kept. */
  isRetaining = false

  /** `value`: the newest entry as stored, the `count`-th; null for a new log. */
  constructor(workspace: string, value: Uint8Array | null = null, count = 0) {
    const entry = value === null ? null : decodeEntry(value)
    this.#entries = count
    this.#newest = value === null ? FIRST : digestOf(value)
    this.#slot = entry?.slot ?? 0
    this.#folded = entry === null ? 0 : endOf(entry)
    this.#foldedHead = entry?.head ?? startOf(workspace)
    this.#durable = this.#folded
    this.#asked = { seq: this.#folded, head: this.#foldedHead }
  }

  /** Position of the newest record, pending ones included. */
  get end(): number {
    return this.#folded + this.#digests.length + this.#fresh.length
  }

  /** Position of the newest checkpoint. */
  get folded(): number {
    return this.#folded
  }

  /** Position of the newest record that is on disk. */
  get durable(): number {
    return this.#durable
  }

  /** Entries so far (count). */
  get entries(): number {
    return this.#entries
  }

  /** Position of the record that binds the newest entry; null for none. */
  get boundAt(): number | null {
    return this.#entries === 0 ? 0 : this.#boundAt
  }

  /** The slot of the newest checkpoint. */
  get slot(): number {
    return this.#slot
  }

  /** Takes in a stored record, in order. */
  opened(value: Uint8Array): void {
    const { binds } = splitRecord(value)
    this.#digests.pushDigestOf(value)
    if (binds !== null && Buffer.compare(binds, this.#newest) === 0) this.#boundAt = this.end
    this.#durable = this.end
  }

  /** Returns the value to store for a new record, which is the next of the chain. Call `digest` once it is on its way. */
  append(record: Uint8Array): Uint8Array {
    const isBinding = this.#entries > 0 && this.#boundAt === null
    const value = isBinding ? bindingRecord(this.#newest, record) : record
    this.#fresh.push(value)
    if (isBinding) this.#boundAt = this.end
    return value
  }

  /** Notes that the log is on disk up to this position. */
  stored(seq: number): void {
    this.#durable = Math.max(this.#durable, seq)
  }

  /** Computes the digests of new records: while the disk works, as nothing waits for them before. */
  digest(): void {
    for (const value of this.#fresh) this.#digests.pushDigestOf(value)
    this.#fresh = []
  }

  /** The head at a position from the newest checkpoint on; null for another position. */
  headAt(seq: number): Uint8Array | null {
    this.digest()
    if (seq < this.#folded || seq > this.end) return null
    const isLater = seq >= this.#asked.seq
    const from = isLater ? this.#asked : { seq: this.#folded, head: this.#foldedHead }
    const digests = this.#digests.slice(from.seq - this.#folded, seq - this.#folded)
    const head = linkedAll(from.head, unpackDigests(digests))
    if (isLater) this.#asked = { seq, head }
    return head
  }

  /** The digest of a record after the newest checkpoint. Call `digest` before. */
  digestAt(seq: number): Uint8Array {
    return this.#digests.slice(seq - this.#folded - 1, seq - this.#folded)
  }

  /** Digests of the records after a position from the newest checkpoint on, up to the durable end. */
  digestsAfter(seq: number): Uint8Array[] {
    this.digest()
    const packed = this.#digests.slice(seq - this.#folded, this.#durable - this.#folded)
    return [...unpackDigests(packed)]
  }

  /** Folds the records up to `seq` into an entry; `checkpoint` as stored takes their place. */
  fold(seq: number, checkpoint: Uint8Array, kind: 'folded' | 'repaired', at: number): void {
    const head = this.headAt(seq)
    if (head === null) throw new Error(`no record ${seq} to fold`)
    const count = seq - this.#folded
    const slot = this.#entries === 0 ? 0 : 1 - this.#slot
    const entry: ChainEntry = {
      ...{ kind, at, seq, from: this.#folded, slot, head },
      ...{ before: this.#newest, checkpoint: digestOf(checkpoint) },
      digests: this.#digests.slice(0, count),
    }
    this.#digests.shift(count)
    this.#folded = seq
    this.#foldedHead = head
    if (this.#asked.seq < seq) this.#asked = { seq, head }
    this.isRetaining = true
    this.#add(entry)
  }

  /** Notes that the log was brought back from a backup, at its end. */
  restored(at: number): void {
    this.#add({
      ...{ kind: 'restored', at, seq: this.end, from: this.#folded, slot: this.#slot },
      ...{ before: this.#newest, checkpoint: NONE, head: this.#foldedHead, digests: NONE },
    })
  }

  /** Begins the chain of a log without one, at its checkpoint. Call it before any record. */
  begin(workspace: string, seq: number, checkpoint: Uint8Array, at: number): void {
    const digest = digestOf(checkpoint)
    this.#folded = seq
    this.#foldedHead = baseHead(workspace, digest)
    this.#durable = seq
    this.#asked = { seq, head: this.#foldedHead }
    this.#add({
      ...{ kind: 'base', at, seq, from: seq, slot: 0 },
      ...{ before: FIRST, checkpoint: digest, head: this.#foldedHead, digests: NONE },
    })
  }

  /** The entries that are not stored yet: store them with the next write. */
  takeEntries(): readonly { index: number; value: Uint8Array }[] {
    const taken = this.#unstored
    this.#unstored = []
    return taken
  }

  #add(entry: ChainEntry): void {
    const value = encodeEntry(entry)
    this.#entries++
    this.#unstored.push({ index: this.#entries, value })
    this.#newest = digestOf(value)
    this.#slot = entry.slot
    this.#boundAt = null
  }
}
