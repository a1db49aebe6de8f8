import * as decoding from 'lib0/decoding'
import { NameTable } from '../../lib/attribution/names.ts'
import { linked, startOf, unpackDigests } from '../../lib/hash-chain.ts'
import { Chain, type ChainEntry, decodeEntry, endOf, type Head } from './chain.ts'
import { Corruption } from './integrity/corruption.ts'
import type { Snapshot as At, Db } from './integrity/db.ts'
import { type Op, seqKey, seqOf } from './integrity/level-keys.ts'
import type { Part } from './joined/tail.ts'
import { decodeRecord } from './log-record.ts'
import type { RecordLog, StoredCheckpoint } from './record-log.ts'
import type { Stored } from './update-log.ts'

/** Stores operations durably and together. */
type Put = (ops: Op[]) => Promise<void>

/** Reads at one moment. */
type Snapshot = { snapshot?: At }

export const recordKey = (workspace: string, seq: number): string => seqKey(`u:${workspace}`, seq)
export const entryKey = (workspace: string, index: number): string =>
  seqKey(`x:${workspace}`, index)

/** The key of a workspace's checkpoint. Two slots take turns, so that the checkpoint before stays for a while. */
export const checkpointKey = (workspace: string, slot: number): string =>
  slot === 0 ? `s:${workspace}` : `s:${workspace}/${slot}`

/** The first part of a checkpoint: its format, and the position up to which it covers the log. */
export const readCheckpointHead = (decoder: decoding.Decoder): { format: number; seq: number } => ({
  format: decoding.readVarUint(decoder),
  seq: decoding.readVarUint(decoder),
})

/** A missing part of a log. */
export const missing = (workspace: string, from: number, to: number): Corruption => {
  const what = from === to ? `record ${from} is missing` : `records ${from} to ${to} are missing`
  return new Corruption(`workspace ${workspace}`, what)
}

/** The result of `read`; throws Corruption where it throws, as it does for malformed bytes. */
const whole = <T>(workspace: string, read: () => T): T => {
  try {
    return read()
  } catch (error) {
    throw new Corruption(`workspace ${workspace}`, (error as Error).message)
  }
}

/** The records after a position, in order, up to another one (null: to the end). Throws Corruption where one is missing. */
export const recordsAfter = async function* (
  db: Db,
  workspace: string,
  after: number,
  options: Snapshot = {},
  upTo: number | null = null,
): AsyncGenerator<{ seq: number; value: Uint8Array }> {
  if (upTo === after) return
  const end = upTo === null ? { lt: `u:${workspace};` } : { lte: recordKey(workspace, upTo) }
  const range = { gt: recordKey(workspace, after), ...end, ...options }
  let last = after
  for await (const [key, value] of db.iterator(range)) {
    const seq = seqOf(key)
    if (seq !== last + 1) throw missing(workspace, last + 1, seq - 1)
    last = seq
    yield { seq, value }
  }
  if (upTo !== null && last < upTo) throw missing(workspace, last + 1, upTo)
}

/** The updates of those records. */
export const updatesAfter = async function* (
  ...where: Parameters<typeof recordsAfter>
): AsyncGenerator<{ seq: number; updates: readonly Uint8Array[] }> {
  const names = new NameTable()
  for await (const { seq, value } of recordsAfter(...where)) {
    yield { seq, updates: decodeRecord(value, names).updates }
  }
}

/** A workspace as it was read. */
export interface Found {
  checkpoint: Uint8Array | null
  parts: Part[]
  seq: number
}

export const storedOf = ({ checkpoint, parts, seq }: Found): Stored => ({
  ...{ checkpoint, tail: parts.map(({ bytes }) => bytes), seq },
})

/** Adds the records after what was read up to a position; null: to the end. Throws Corruption where one is missing. */
export const addRecords = async (
  db: Db,
  workspace: string,
  found: Found,
  options: Snapshot,
  upTo: number | null,
): Promise<void> => {
  for await (const { seq, updates } of updatesAfter(db, workspace, found.seq, options, upTo)) {
    for (const bytes of updates) found.parts.push({ bytes, isPacked: false })
    found.seq = seq
  }
}

/** Adds the names in the records after a position. */
export const addNames = async (
  db: Db,
  workspace: string,
  after: number,
  names: NameTable,
): Promise<void> => {
  for await (const { value } of recordsAfter(db, workspace, after)) decodeRecord(value, names)
}

/** The checkpoints of a workspace, oldest first. */
export const checkpointsOf = async (
  db: Db,
  workspace: string,
  options: Snapshot = {},
): Promise<StoredCheckpoint[]> => {
  const found: StoredCheckpoint[] = []
  const values = await db.getMany(
    [checkpointKey(workspace, 0), checkpointKey(workspace, 1)],
    options,
  )
  for (const [slot, value] of values.entries()) {
    if (value === undefined) continue
    const { seq } = readCheckpointHead(decoding.createDecoder(value))
    found.push({ seq, slot, value })
  }
  return found.sort((a, b) => a.seq - b.seq)
}

/** The chains of all workspaces on LevelDB. */
export class LevelRecordLog implements RecordLog {
  readonly #db: Db
  readonly #put: Put
  readonly #now: () => number
  /** Removes the records of a workspace up to a position. */
  readonly #clear: (workspace: string, seq: number) => Promise<void>
  readonly #chains = new Map<string, Chain>()
  readonly #opening = new Map<string, Promise<Chain>>()
  readonly #releasing = new Set<Promise<void>>()

  constructor(
    db: Db,
    put: Put,
    clear: (workspace: string, seq: number) => Promise<void>,
    now: () => number,
  ) {
    this.#db = db
    this.#put = put
    this.#clear = clear
    this.#now = now
  }

  async open(workspace: string): Promise<void> {
    await this.chain(workspace)
  }

  /** The chain of a workspace, read on first use. Throws Corruption. */
  chain(workspace: string): Promise<Chain> {
    const opening = this.#opening.get(workspace)
    if (opening !== undefined) return opening
    const opened = this.#read(workspace)
    this.#opening.set(workspace, opened)
    const isKnown = () => this.#opening.get(workspace) === opened
    opened.then(
      (chain) => isKnown() && this.#chains.set(workspace, chain),
      () => isKnown() && this.#opening.delete(workspace),
    )
    return opened
  }

  /** The chain of a workspace of which nothing is stored; null: it was read already. */
  begin(workspace: string): Chain | null {
    if (this.#opening.has(workspace)) return null
    const chain = new Chain(workspace)
    this.#chains.set(workspace, chain)
    this.#opening.set(workspace, Promise.resolve(chain))
    return chain
  }

  /** Forgets what is in memory, of all workspaces or of one: after a failed write the disk says what is stored. */
  forget(workspace?: string): void {
    if (workspace === undefined) {
      this.#chains.clear()
      this.#opening.clear()
    } else {
      this.#chains.delete(workspace)
      this.#opening.delete(workspace)
    }
  }

  async #read(workspace: string): Promise<Chain> {
    const range = { gt: `x:${workspace}:`, lt: `x:${workspace};`, reverse: true, limit: 1 }
    const [newest] = await this.#db.iterator(range).all()
    const chain =
      newest === undefined
        ? new Chain(workspace)
        : whole(workspace, () => new Chain(workspace, newest[1], seqOf(newest[0])))
    if (newest === undefined) await this.#begin(workspace, chain)
    for await (const { value } of recordsAfter(this.#db, workspace, chain.folded)) {
      whole(workspace, () => chain.opened(value))
    }
    if (chain.end === 0 && (await this.#db.get(`w:${workspace}`)) !== undefined) {
      throw new Corruption(`workspace ${workspace}`, 'all of it is missing')
    }
    chain.isRetaining = await this.#retains(workspace, chain)
    return chain
  }

  /** A log of an older version: its chain begins at its checkpoint. */
  async #begin(workspace: string, chain: Chain): Promise<void> {
    const [checkpoint] = await checkpointsOf(this.#db, workspace)
    if (checkpoint === undefined) return
    chain.begin(workspace, checkpoint.seq, checkpoint.value, this.#now())
  }

  async #retains(workspace: string, chain: Chain): Promise<boolean> {
    const covered = { gt: `u:${workspace}:`, lte: recordKey(workspace, chain.folded), limit: 1 }
    if ((await this.#db.keys(covered).all()).length > 0) return true
    const older = checkpointKey(workspace, 1 - chain.slot)
    return (await this.#db.keys({ gte: older, lte: older, limit: 1 }).all()).length > 0
  }

  handOut(workspace: string): Head | null {
    const chain = this.#chains.get(workspace)
    const head = chain?.headAt(chain.durable)
    if (chain === undefined || !head) return null
    const { durable: seq, boundAt } = chain
    // From now on a client knows the newest checkpoint: nobody needs what it replaced.
    if (chain.isRetaining && boundAt !== null && boundAt <= seq) this.#release(workspace, chain)
    return { seq, head }
  }

  #release(workspace: string, chain: Chain): void {
    chain.isRetaining = false
    const { folded } = chain
    const releasing = this.#put([{ type: 'del', key: checkpointKey(workspace, 1 - chain.slot) }])
      .then(() => this.#clear(workspace, folded))
      .catch(() => {}) // the log has failed, and tells its callers
      .finally(() => this.#releasing.delete(releasing))
    this.#releasing.add(releasing)
  }

  /** Resolves when nothing is being removed. */
  async settled(): Promise<void> {
    await Promise.all(this.#releasing)
  }

  /** Operations that store a chain's new entries. */
  entryOps(workspace: string, chain: Chain): Op[] {
    return chain
      .takeEntries()
      .map(({ index, value }) => ({ type: 'put', key: entryKey(workspace, index), value }))
  }

  async noteRestored(workspace: string): Promise<void> {
    const chain = await this.chain(workspace)
    chain.restored(this.#now())
    await this.#put(this.entryOps(workspace, chain))
  }

  async digests(workspace: string, after: number, limit: number): Promise<Uint8Array[]> {
    const chain = await this.chain(workspace)
    const found: Uint8Array[] = []
    let end = after
    for (let index = await this.#indexOf(workspace, after + 1); found.length < limit; index++) {
      const entry = await this.#entry(workspace, index)
      if (entry === null) break
      if (endOf(entry) <= end) continue
      for (const digest of [...unpackDigests(entry.digests)].slice(end - entry.from)) {
        found.push(digest)
      }
      end = endOf(entry)
    }
    if (end >= chain.folded) found.push(...chain.digestsAfter(end))
    return found.slice(0, limit)
  }

  async headAt(workspace: string, seq: number): Promise<Uint8Array | null> {
    const chain = await this.chain(workspace)
    if (seq > chain.durable || seq < 0) return null
    const known = chain.headAt(seq)
    if (known !== null) return known
    if (seq === 0) return startOf(workspace)
    const index = await this.#indexOf(workspace, seq)
    const entry = await this.#entry(workspace, index)
    if (entry === null || seq < entry.from) return null
    let head = (await this.#entry(workspace, index - 1))?.head ?? startOf(workspace)
    let at = entry.from
    for (const digest of unpackDigests(entry.digests)) {
      if (at === seq) break
      head = linked(head, digest)
      at++
    }
    return head
  }

  /** Index of the first entry that reaches up to a position; the number of entries and 1 if none does. */
  async #indexOf(workspace: string, seq: number): Promise<number> {
    const chain = await this.chain(workspace)
    let [low, high] = [1, chain.entries + 1]
    while (low < high) {
      const middle = Math.floor((low + high) / 2)
      const entry = await this.#entry(workspace, middle)
      if (entry !== null && endOf(entry) < seq) low = middle + 1
      else high = middle
    }
    return low
  }

  async #entry(workspace: string, index: number): Promise<ChainEntry | null> {
    const value = await this.#db.get(entryKey(workspace, Math.max(0, index)))
    return value === undefined ? null : whole(workspace, () => decodeEntry(value))
  }

  async *entries(workspace: string): AsyncGenerator<{ entry: ChainEntry; value: Uint8Array }> {
    const range = { gt: `x:${workspace}:`, lt: `x:${workspace};` }
    for await (const value of this.#db.values(range)) {
      yield { entry: whole(workspace, () => decodeEntry(value)), value }
    }
  }

  async *records(workspace: string): AsyncGenerator<{ seq: number; value: Uint8Array }> {
    const range = { gt: `u:${workspace}:`, lt: `u:${workspace};` }
    for await (const [key, value] of this.#db.iterator(range)) yield { seq: seqOf(key), value }
  }

  checkpoints(workspace: string): Promise<StoredCheckpoint[]> {
    return checkpointsOf(this.#db, workspace)
  }
}
