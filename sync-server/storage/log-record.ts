import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import { type NameTable, readNames, writeNames } from '../../lib/attribution/names.ts'
import type { Authorship, Credit, DeletedText, IdRange } from '../../lib/attribution/runs.ts'
import { splitRecord } from './chain.ts'

/**
 * A record of the log: 2 (format), milliseconds since the epoch, count, update…, then who made them: new names, a credit
 * per update, deleted texts. A credit: number of `by` × 8, + 1 if a task follows, + 2 if `via` follows, + 4 if the
 * ranges of its new operations follow. Format 1, of the versions before, ends after the updates.
 * Sections may follow, and an earlier version skips them: number, bytes. Section 1: the deletions that two agents made
 * at the same time; count, then the index of an update and the ranges that it deletes as the second.
 * A record that binds an entry of the chain has that in front of it (chain.ts).
 */
const FORMAT = 2
const HAS_TASK = 1
const HAS_VIA = 2
const HAS_NEWS = 4
const AGAIN = 1
/** Later times (milliseconds since the epoch) have no ISO text. */
const MAX_TIME_MS = 8.64e15

export interface LogRecord extends Authorship {
  /** Milliseconds since the epoch, by the server's clock. */
  at: number
  updates: readonly Uint8Array[]
}

/** Bytes beside the updates that are enough for most records (count): an encoder that grows allocates anew. */
const BESIDE_BYTES = 64
const LENGTH_BYTES = 4

/** Adds the record's new names to `names`. */
export const encodeRecord = (record: LogRecord, names: NameTable): Uint8Array => {
  const to = encoding.createEncoder()
  const bytes = record.updates.reduce((sum, { length }) => sum + length + LENGTH_BYTES, 0)
  to.cbuf = new Uint8Array(bytes + BESIDE_BYTES)
  writeRecord(to, record, names)
  return to.bufs.length === 0 ? to.cbuf.subarray(0, to.cpos) : encoding.toUint8Array(to)
}

const writeRecord = (
  to: encoding.Encoder,
  { at, updates, credits, deleted }: LogRecord,
  names: NameTable,
): void => {
  encoding.writeVarUint(to, FORMAT)
  encoding.writeVarUint(to, at)
  encoding.writeVarUint(to, updates.length)
  for (const update of updates) encoding.writeVarUint8Array(to, update)
  const first = names.size
  for (const { by, task, via } of credits) {
    names.numberOf(by)
    names.numberOf(task)
    names.numberOf(via)
  }
  for (const { root } of deleted) names.numberOf(root)
  writeNames(to, first, names.from(first))
  for (let i = 0; i < updates.length; i++) writeCredit(to, credits[i]!, names)
  encoding.writeVarUint(to, deleted.length)
  for (const { root, client, clock, text } of deleted) {
    for (const number of [names.numberOf(root), client, clock]) encoding.writeVarUint(to, number)
    encoding.writeVarString(to, text)
  }
  const again = credits.flatMap((credit, i) => (credit.again === undefined ? [] : [i]))
  if (again.length === 0) return
  encoding.writeVarUint(to, AGAIN)
  encoding.writeVarUint8Array(
    to,
    encoding.encode((section) => {
      encoding.writeVarUint(section, again.length)
      for (const i of again) {
        encoding.writeVarUint(section, i)
        writeRanges(section, credits[i]!.again!)
      }
    }),
  )
}

/**
 * Reads a record, and its new names into `names`. A record of format 1 has no credits. Throws on malformed bytes and on
 * a newer format.
 */
export const decodeRecord = (value: Uint8Array, names: NameTable): LogRecord => {
  const from = decoding.createDecoder(splitRecord(value).record)
  const format = decoding.readVarUint(from)
  if (format !== 1 && format !== FORMAT) {
    throw new Error(`a log record has format ${format}; this version reads 1 and ${FORMAT}`)
  }
  const at = decoding.readVarUint(from)
  if (at > MAX_TIME_MS) throw new Error('the time of a log record is out of range')
  const updates: Uint8Array[] = []
  for (let left = decoding.readVarUint(from); left > 0; left--) {
    updates.push(decoding.readVarUint8Array(from))
  }
  if (format === 1) return { at, updates, credits: [], deleted: [] }
  readNames(from, names)
  const credits = updates.map(() => readCredit(from, names))
  const deleted: DeletedText[] = []
  for (let left = decoding.readVarUint(from); left > 0; left--) {
    const root = names.nameOf(decoding.readVarUint(from)) ?? ''
    const [client, clock] = [decoding.readVarUint(from), decoding.readVarUint(from)]
    deleted.push({ root, client, clock, text: decoding.readVarString(from) })
  }
  while (decoding.hasContent(from)) {
    const section = decoding.readVarUint(from)
    const bytes = decoding.readVarUint8Array(from)
    if (section === AGAIN) readAgain(decoding.createDecoder(bytes), credits)
  }
  return { at, updates, credits, deleted }
}

const writeCredit = (
  to: encoding.Encoder,
  { by, task, via, news }: Credit,
  names: NameTable,
): void => {
  const flags =
    (task === null ? 0 : HAS_TASK) +
    (via === null ? 0 : HAS_VIA) +
    (news === undefined ? 0 : HAS_NEWS)
  encoding.writeVarUint(to, names.numberOf(by) * 8 + flags)
  if (task !== null) encoding.writeVarUint(to, names.numberOf(task))
  if (via !== null) encoding.writeVarUint(to, names.numberOf(via))
  if (news === undefined) return
  writeRanges(to, news.inserts)
  writeRanges(to, news.deletes)
}

const readCredit = (from: decoding.Decoder, names: NameTable): Credit => {
  const head = decoding.readVarUint(from)
  const name = () => names.nameOf(decoding.readVarUint(from))
  return {
    by: names.nameOf(Math.floor(head / 8)),
    task: head & HAS_TASK ? name() : null,
    via: head & HAS_VIA ? name() : null,
    ...(head & HAS_NEWS ? { news: { inserts: readRanges(from), deletes: readRanges(from) } } : {}),
  }
}

const readAgain = (from: decoding.Decoder, credits: readonly Credit[]): void => {
  for (let left = decoding.readVarUint(from); left > 0; left--) {
    const credit = credits[decoding.readVarUint(from)]
    if (credit === undefined) throw new Error('a deletion is of no update of its record')
    credit.again = readRanges(from)
  }
}

const writeRanges = (to: encoding.Encoder, ranges: readonly IdRange[]): void => {
  encoding.writeVarUint(to, ranges.length)
  for (const { client, clock, length } of ranges) {
    for (const number of [client, clock, length]) encoding.writeVarUint(to, number)
  }
}

const readRanges = (from: decoding.Decoder): IdRange[] => {
  const ranges: IdRange[] = []
  for (let left = decoding.readVarUint(from); left > 0; left--) {
    const [client, clock] = [decoding.readVarUint(from), decoding.readVarUint(from)]
    ranges.push({ client, clock, length: decoding.readVarUint(from) })
  }
  return ranges
}
